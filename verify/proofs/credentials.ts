import { onEveryNode } from "../cluster.ts";
import { expectNothing, type Proof } from "../proof.ts";

export const credentialsProof: Proof = {
  promise: "No node keeps the cluster's first credential, and no token outlives its join",
  proof: "super-admin.conf is on no node; every bootstrap token is one of a join, of 15 minutes",
  fix: "remove the file or token that is named: `kubectl -n kube-system delete secret bootstrap-token-ID`",
  async prove(cluster) {
    const answers = await onEveryNode(
      cluster,
      "ls /etc/kubernetes/super-admin.conf 2>/dev/null || true",
    );
    const { items } = JSON.parse(
      await cluster.kubectl(
        ...["-n", "kube-system", "get", "secrets", "-o", "json"],
        ...["--field-selector", "type=bootstrap.kubernetes.io/token"],
      ),
    ) as { items: { data: { description?: string } }[] };
    const strange = items
      .map(({ data }) => Buffer.from(data.description ?? "", "base64").toString())
      .filter((description) => description !== "one join by oslo-cluster");
    return expectNothing(
      [
        ...answers
          .filter(({ output }) => output !== "")
          .map(({ node, output }) => `${node}: ${output}`),
        ...strange.map((description) => `a token: ${description || "(no description)"}`),
      ],
      `super-admin.conf: absent; tokens of joins: ${items.length}; others: 0`,
    );
  },
};
