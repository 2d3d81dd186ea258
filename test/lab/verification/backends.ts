import { labRoutes } from "../stack.ts";
import type { Lab } from "./proof.ts";

/**
 * The services that the lab's routes lead to, as a tenant would have made them; without pods. Waits
 * until the routes have found them.
 */
export async function ensureBackends({ onHost, kubectl }: Lab): Promise<void> {
  const items = labRoutes.flatMap(({ namespace, backends }) =>
    backends.map(({ name, port }) => ({
      ...{ apiVersion: "v1", kind: "Service", metadata: { name, namespace } },
      spec: { ports: [{ port }] },
    })),
  );
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const apply = "kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f -";
  await onHost("cp-1", `${apply} <<'END'\n${list}\nEND`);
  const resolved = '{.status.parents[0].conditions[?(@.type=="ResolvedRefs")].status}';
  for (const { name, namespace } of labRoutes) {
    const route = ["wait", `httproute/${name}`, `--for=jsonpath=${resolved}=True`];
    await kubectl("-n", namespace, ...route, "--timeout=180s");
  }
}
