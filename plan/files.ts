import {
  type ClusterFile,
  type MachineKind,
  type ObjectGroup,
  type Place,
  pathOf,
} from "./layout.ts";
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
  const put = (place: Place, content: string) => files.set(pathOf(place), content);
  const { name, endpoint, dial, drainTimeoutSeconds, bastion } = plan;
  const cluster = (file: ClusterFile, content: string) => put({ kind: "cluster", file }, content);
  // The mode is in the values.
  const { values, mode: _, ...release } = plan.cilium;
  cluster("cluster.yaml", renderYaml({ name, endpoint, dial, drainTimeoutSeconds, bastion }));
  cluster("cilium-release.yaml", renderYaml(release));
  cluster("cilium-values.yaml", renderYaml(values));
  cluster("ready.yaml", renderStep(plan.ready));
  cluster("verify.yaml", renderYaml(plan.verify));
  for (const [node, document] of Object.entries(plan.probe?.documents ?? {})) {
    put({ kind: "probe", node }, renderStep(document));
  }
  const { workload, objects } = plan.ciliumObjects;
  putObjects(put, "", plan.namespaces);
  putObjects(put, "gateway-api", [...plan.gatewayApi.crds, ...plan.gatewayApi.objects]);
  putObjects(put, "cilium", [...workload, ...objects]);
  for (const { name, reach, ...documents } of plan.hypervisors) {
    put({ kind: "facts", machine: "hypervisor", name }, renderYaml({ name, reach }));
    for (const part of ["preflight", "vlan", "image"] as const) {
      putDocument(put, { machine: "hypervisor", name }, documents[part]);
    }
  }
  for (const node of plan.nodes) putNode(put, node);
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

type Put = (place: Place, content: string) => void;

/** Of objects that several plans of a process share: upstream's CRDs, which are long. */
const rendered = new WeakMap<Manifest, string>();

function putObjects(put: Put, group: ObjectGroup, manifests: readonly Manifest[]) {
  for (const manifest of manifests) {
    const { name, namespace } = manifest.metadata;
    const object = manifest.kind.toLowerCase();
    const content = rendered.get(manifest) ?? renderYaml(manifest);
    rendered.set(manifest, content);
    put(
      { kind: "object", group, object, name, ...(namespace === undefined ? {} : { namespace }) },
      content,
    );
  }
}

function putNode(put: Put, node: NodePlan) {
  const { name, guest } = node;
  put({ kind: "facts", machine: "node", name }, renderYaml(nodeFacts(node)));
  for (const [order, document] of Object.values(node.steps).entries()) {
    put({ kind: "step", name, number: order + 1, step: document.step }, renderStep(document));
    for (const [path, content] of Object.entries(document.files)) {
      put({ kind: "file", name, path }, content);
    }
  }
  if (guest === undefined) return;
  for (const part of ["guest", "domain", "live"] as const) {
    putDocument(put, { machine: "node", name }, guest[part]);
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
function putDocument(
  put: Put,
  owner: { machine: MachineKind; name: string },
  document: HypervisorDocument,
) {
  const place = (file: string): Place => ({ kind: "script", ...owner, file });
  put(place(`${document.script}.env`), renderDocument({ ...document, files: {} }));
  for (const [file, content] of Object.entries(document.files)) {
    put(place(file), `${content.trimEnd()}\n`);
  }
}
