import { randomBytes } from "node:crypto";
import { hostPort } from "../../config/cidr.ts";
import { paths } from "../../plan/kubeadm.ts";
import type { Cluster } from "../cluster.ts";
import { namespace, namespaceObject } from "../probe/namespace.ts";
import { expectNothing, type Proof } from "../proof.ts";

export const secretsAtRestProof: Proof = {
  promise: "Secrets are encrypted in etcd, by every API server with one and the same key",
  proof:
    "a secret written by each control plane's own API server and read raw from its etcd: it begins with k8s:enc:secretbox, and its value is not in it; the names of the keys that each has",
  fix: "write the Secrets again: `kubectl get secrets -A -o json | kubectl replace -f -`; a rotation that has not ended: `oslo-cluster encryption rotate <stack>`",
  async prove(cluster) {
    await cluster.apply([namespaceObject]);
    const planes = cluster.plan.nodes.filter(({ role }) => role === "control-plane");
    const read = await Promise.all(
      planes.map(async ({ name, addresses }) => ({
        name,
        ...(await storedBy(cluster, name, addresses[0] as string)),
      })),
    );
    const several = new Set(read.map(({ keys }) => keys)).size > 1;
    return expectNothing(
      read.flatMap(({ name, stored, isEncrypted, keys }) => [
        ...(isEncrypted ? [] : [`${name}: stored as ${stored}`]),
        ...(several || keys.includes(",") ? [`${name}: keys in use: ${keys}`] : []),
      ]),
      read.map(({ name, stored }) => `${name}: stored as ${stored}`).join("; "),
    );
  },
};

interface Stored {
  /** How it begins in etcd. */
  stored: string;
  isEncrypted: boolean;
  /** Names of the keys of this control plane, with commas. */
  keys: string;
}

async function storedBy(cluster: Cluster, node: string, address: string): Promise<Stored> {
  const value = `oslo-canary-${randomBytes(8).toString("hex")}`;
  const name = `canary-${node}`;
  const secret = JSON.stringify({
    ...{ apiVersion: "v1", kind: "Secret", metadata: { name, namespace } },
    stringData: { value },
  });
  const server = `https://${hostPort(address, cluster.config.cluster.endpoint.port)}`;
  // etcd's own gateway: keys and values in base64.
  const key = Buffer.from(`/registry/secrets/${namespace}/${name}`).toString("base64");
  const answer = await cluster.onNode(
    node,
    `kubectl --kubeconfig /etc/kubernetes/admin.conf --server ${server} apply --server-side --force-conflicts -f - >/dev/null <<'END'
${secret}
END
awk '$2 == "name:" { print $3 }' ${paths.encryptionWithKey} | paste -sd,
cd /etc/kubernetes/pki/etcd && curl -sS --cacert ca.crt --cert server.crt --key server.key -d '{"key":"${key}"}' https://127.0.0.1:2379/v3/kv/range`,
  );
  const [keys = "", ...json] = answer.split("\n");
  const { kvs = [] } = JSON.parse(json.join("\n")) as { kvs?: { value: string }[] };
  const raw = Buffer.from(kvs[0]?.value ?? "", "base64").toString("latin1");
  return {
    stored: `${raw.slice(0, 26).replace(/[^ -~]/g, ".") || "(nothing)"}…`,
    isEncrypted: raw.startsWith("k8s:enc:secretbox:v1:") && !raw.includes(value),
    keys,
  };
}
