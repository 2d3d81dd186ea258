import { type HypervisorDocument, renderDocument } from "./libvirt/document.ts";
import type { Manifest } from "./manifest.ts";
import type { ClusterPlan, NodePlan } from "./plan.ts";
import { renderStep } from "./step.ts";
import { renderYaml } from "./yaml.ts";

/**
 * The whole plan as files, path to content: what a reviewer compares. Each node has its files under
 * their real paths, the documents of its steps, and who it is; the cluster has values and manifests.
 */
export function planFiles(plan: ClusterPlan): Map<string, string> {
  const files = new Map<string, string>();
  const { name, endpoint, dial, drainTimeoutSeconds, bastion } = plan;
  // The mode stands in the values.
  const { values, mode: _, ...release } = plan.cilium;
  files.set(
    "cluster/cluster.yaml",
    renderYaml({ name, endpoint, dial, drainTimeoutSeconds, bastion }),
  );
  files.set("cluster/cilium-release.yaml", renderYaml(release));
  files.set("cluster/cilium-values.yaml", renderYaml(values));
  for (const node of plan.nodes) {
    files.set(`nodes/${node.name}/node.yaml`, renderYaml(nodeFacts(node)));
    for (const [order, document] of Object.values(node.steps).entries()) {
      const number = String(order + 1).padStart(2, "0");
      files.set(`nodes/${node.name}/steps/${number}-${document.step}.yaml`, renderStep(document));
      for (const [path, content] of Object.entries(document.files)) {
        files.set(`nodes/${node.name}/files${path}`, content);
      }
    }
  }
  for (const { name, reach, ...documents } of plan.hypervisors) {
    files.set(`hypervisors/${name}/hypervisor.yaml`, renderYaml({ name, reach }));
    for (const part of ["preflight", "vlan", "image"] as const) {
      addDocument(files, `hypervisors/${name}`, documents[part]);
    }
  }
  for (const { name, guest } of plan.nodes) {
    for (const part of ["guest", "domain", "live"] as const) {
      if (guest) addDocument(files, `nodes/${name}/guest`, guest[part]);
    }
  }
  for (const [node, document] of Object.entries(plan.probe?.documents ?? {})) {
    files.set(`cluster/probe/${node}.yaml`, renderStep(document));
  }
  files.set("cluster/ready.yaml", renderStep(plan.ready));
  files.set("cluster/verify.yaml", renderYaml(plan.verify));
  addManifests(files, "cluster", plan.namespaces);
  addManifests(files, "cluster/gateway-api", [...plan.gatewayApi.crds, ...plan.gatewayApi.objects]);
  addManifests(files, "cluster/cilium", [
    ...plan.ciliumObjects.workload,
    ...plan.ciliumObjects.objects,
  ]);
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function addManifests(files: Map<string, string>, folder: string, manifests: readonly Manifest[]) {
  for (const manifest of manifests) {
    const { name, namespace } = manifest.metadata;
    // The namespace is a directory: `a-b/c` and `a/b-c` are two objects.
    const path = [folder, namespace, `${manifest.kind.toLowerCase()}-${name}.yaml`];
    files.set(path.filter(Boolean).join("/"), renderYaml(manifest));
  }
}

/** Who a node is, and how it is reached. */
function nodeFacts({ name, role, addresses, reach, guest }: NodePlan) {
  const { host, port, user, hostKey } = reach;
  return {
    ...{ name, role, addresses },
    reach: { host, port, user, ...(hostKey === undefined ? {} : { hostKey }) },
    ...(guest
      ? {
          guest: {
            hypervisor: guest.hypervisor,
            identity: guest.identity,
            protected: guest.protected,
          },
        }
      : {}),
  };
}

/** Its files by themselves, so that a reviewer's tools know their kind, and its settings. */
function addDocument(files: Map<string, string>, folder: string, document: HypervisorDocument) {
  files.set(`${folder}/${document.script}.env`, renderDocument({ ...document, files: {} }));
  for (const [name, content] of Object.entries(document.files)) {
    files.set(`${folder}/${name}`, `${content.trimEnd()}\n`);
  }
}
