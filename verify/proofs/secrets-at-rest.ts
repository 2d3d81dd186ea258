import { randomBytes } from "node:crypto";
import { namespace, namespaceObject } from "../probe/namespace.ts";
import { fail, type Proof, pass } from "../proof.ts";

export const secretsAtRestProof: Proof = {
  promise: "Secrets are encrypted in etcd",
  proof:
    "a secret made for it, read raw from etcd: it begins with k8s:enc:secretbox, and its value is not in it",
  fix: "write the Secrets again: `kubectl get secrets -A -o json | kubectl replace -f -`",
  async prove(cluster) {
    const canary = `oslo-canary-${randomBytes(8).toString("hex")}`;
    await cluster.apply([
      namespaceObject,
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "canary", namespace },
        stringData: { value: canary },
      },
    ]);
    // etcd's own gateway: keys and values in base64.
    const key = Buffer.from(`/registry/secrets/${namespace}/canary`).toString("base64");
    const first = cluster.plan.nodes.find(({ role }) => role === "control-plane")?.name ?? "";
    const answer = await cluster.onNode(
      first,
      `cd /etc/kubernetes/pki/etcd && curl -sS --cacert ca.crt --cert server.crt --key server.key -d '{"key":"${key}"}' https://127.0.0.1:2379/v3/kv/range`,
    );
    const { kvs = [] } = JSON.parse(answer) as { kvs?: { value: string }[] };
    const value = Buffer.from(kvs[0]?.value ?? "", "base64").toString("latin1");
    const reading = `stored as ${value.slice(0, 26).replace(/[^ -~]/g, ".") || "(nothing)"}…`;
    return value.startsWith("k8s:enc:secretbox:v1:") && !value.includes(canary)
      ? pass(reading)
      : fail(reading);
  },
};
