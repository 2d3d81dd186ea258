import { hostPort } from "../../config/cidr.ts";
import { type Cluster, onEveryNode } from "../cluster.ts";
import { expectNothing, type Proof } from "../proof.ts";

/** Holds the CA alone, and yet it is given to nobody who cannot say who he is. */
const clusterInfo = "/api/v1/namespaces/kube-public/configmaps/cluster-info";

/** Who may do everything in a cluster of kubeadm's. */
const builtIn = ["Group:system:masters", "Group:kubeadm:cluster-admins"];
/** What whoever has no credential may ask. */
const health = /^\/(healthz|livez|readyz|version)(\/\*?)?$/;
const nobodies = ["Group:system:unauthenticated", "User:system:anonymous"];

export const accessProof: Proof = {
  promise:
    "Nobody without a credential learns more than health, and who may do everything is in the plan",
  proof:
    "every role that RBAC gives to system:unauthenticated or system:anonymous; on every control plane the API, its version, cluster-info and the secrets asked without a credential, and the pods of every kubelet; every subject of a role that may do everything against kubeadm's own and verify.clusterAdmins",
  fix: "delete the binding that is named, or name its subject in verify.clusterAdmins",
  async prove(cluster) {
    const rbac = await rbacOf(cluster);
    const wanted = [...builtIn, ...cluster.config.verify.clusterAdmins];
    const admins = clusterAdminsOf(rbac);
    const strangers = [...admins].filter(([subject]) => !wanted.includes(subject));
    const idle = cluster.config.verify.clusterAdmins.filter((subject) => !admins.has(subject));
    return expectNothing(
      [
        ...openRoles(rbac),
        ...strangers.map(([subject, binding]) => `${subject} may do everything (${binding})`),
        ...idle.map((subject) => `${subject} of verify.clusterAdmins may not do everything`),
        ...(await openDoors(cluster)),
      ],
      `may do everything: ${[...admins.keys()].join(", ")}; without a credential: health`,
    );
  },
};

interface RbacRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

interface RbacObject {
  kind: string;
  metadata: { name: string; namespace?: string };
  rules?: RbacRule[] | null;
  roleRef?: { kind: string; name: string };
  subjects?: { kind: string; name: string; namespace?: string }[];
}

interface Rbac {
  bindings: RbacObject[];
  /** The rules that a binding gives. */
  rulesOf(binding: RbacObject): RbacRule[];
}

async function rbacOf({ kubectl }: Cluster): Promise<Rbac> {
  const { items } = JSON.parse(
    await kubectl(
      ...["get", "clusterroles,roles,clusterrolebindings,rolebindings", "-A", "-o", "json"],
    ),
  ) as { items: RbacObject[] };
  return {
    bindings: items.filter(({ roleRef }) => roleRef !== undefined),
    rulesOf: ({ roleRef, metadata: { namespace } }) =>
      items.find(
        ({ kind, metadata }) =>
          kind === roleRef?.kind &&
          metadata.name === roleRef.name &&
          (kind === "ClusterRole" || metadata.namespace === namespace),
      )?.rules ?? [],
  };
}

/** Subjects that may do everything in the cluster or in kube-system, which is the same, with their binding. */
function clusterAdminsOf({ bindings, rulesOf }: Rbac): Map<string, string> {
  const all = (list: string[] = []) => list.includes("*");
  const found = bindings
    .filter(
      (binding) =>
        [undefined, "kube-system"].includes(binding.metadata.namespace) &&
        rulesOf(binding).some(
          ({ verbs, apiGroups, resources }) => all(verbs) && all(apiGroups) && all(resources),
        ),
    )
    .flatMap((binding) =>
      subjectsOf(binding).map((one): [string, string] => [one, nameOf(binding)]),
    );
  return new Map(found);
}

function openRoles({ bindings, rulesOf }: Rbac): string[] {
  return bindings
    .filter((binding) => subjectsOf(binding).some((subject) => nobodies.includes(subject)))
    .filter((binding) => !isClusterInfo(binding, rulesOf(binding)))
    .flatMap((binding) =>
      rulesOf(binding)
        .filter(({ nonResourceURLs = [], resources = [] }) => {
          return resources.length > 0 || !nonResourceURLs.every((url) => health.test(url));
        })
        .map(
          ({ verbs, resources = [], nonResourceURLs = [] }) =>
            `anyone without a credential may ${verbs.join(", ")} ${[...resources, ...nonResourceURLs].join(", ")} (${nameOf(binding)})`,
        ),
    );
}

/** kubeadm's own, for joins by a token: it holds the cluster's public CA. */
function isClusterInfo({ metadata }: RbacObject, rules: RbacRule[]): boolean {
  return (
    metadata.namespace === "kube-public" &&
    rules.every(
      ({ verbs, resources = [], resourceNames = [] }) =>
        `${verbs} ${resources} ${resourceNames}` === "get configmaps cluster-info",
    )
  );
}

function subjectsOf({ subjects = [] }: RbacObject): string[] {
  return subjects.map(({ kind, name, namespace }) =>
    kind === "ServiceAccount" ? `${kind}:${namespace}/${name}` : `${kind}:${name}`,
  );
}

function nameOf({ kind, metadata: { name, namespace } }: RbacObject): string {
  return [kind, namespace, name].filter(Boolean).join(" ");
}

/** Asks without a credential, and with the certificate checked: what is not refused is a finding. */
const ask = (url: string, ca: string) =>
  `code=$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 10 --retry 2 --retry-delay 1 --retry-all-errors --retry-max-time 15 ${ca} '${url}' || true)
case $code in
401 | 403) ;;
000) echo "${url} does not answer" ;;
*) echo "${url} answers $code without a credential" ;;
esac`;

async function openDoors(cluster: Cluster): Promise<string[]> {
  const { port } = cluster.config.cluster.endpoint;
  const answers = await onEveryNode(cluster, (node) => {
    const { role, addresses } = cluster.plan.nodes.find(({ name }) => name === node) ?? {};
    const own = `https://${hostPort(addresses?.[0] ?? "", port)}`;
    const api = ["/api", "/version", clusterInfo, "/api/v1/namespaces/kube-system/secrets"].map(
      (path) => ask(`${own}${path}`, "--cacert /etc/kubernetes/pki/ca.crt"),
    );
    // The kubelet's certificate is its own: it is asked over loopback.
    return [
      ...(role === "control-plane" ? api : []),
      ask("https://127.0.0.1:10250/pods", "--insecure"),
    ].join("\n");
  });
  return answers.flatMap(({ node, output }) =>
    output
      .split("\n")
      .filter(Boolean)
      .map((line) => `${node}: ${line}`),
  );
}
