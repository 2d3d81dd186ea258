import { type Cluster, onEveryNode } from "../cluster.ts";

/** Everything that a proof makes in the cluster is in here. */
export const namespace = "oslo-cluster-verify";

/** Units and files on nodes begin with it. */
export const unitPrefix = "oslo-verify";
export const workDirectory = "/run/oslo-verify";

const label = "oslo-cluster.io/made-by=verify";

export const namespaceObject = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: {
    name: namespace,
    labels: { [label.split("=")[0] as string]: label.split("=")[1] },
  },
};

/** Removes what proofs made, in the cluster and on its nodes; nothing where there is nothing. */
export async function removeLeftovers(cluster: Cluster): Promise<void> {
  const onNodes = onEveryNode(
    cluster,
    `systemctl stop '${unitPrefix}-*' 2>/dev/null || true; rm -rf ${workDirectory}`,
  );
  const inCluster = cluster.kubectl(
    ...["delete", "namespace", "-l", label, "--ignore-not-found", "--timeout=60s"],
  );
  const results = await Promise.allSettled([inCluster, onNodes]);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
