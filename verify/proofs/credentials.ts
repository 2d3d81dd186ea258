import { onEveryNode } from "../cluster.ts";
import { expectNothing, type Proof } from "../proof.ts";

/** How long a join's token lives at most; see steps/mint-join.sh. */
const tokenMinutes = 5;

export const credentialsProof: Proof = {
  promise: "No node keeps the cluster's first credential, and no token outlives its join",
  proof: `super-admin.conf is on no node; every bootstrap token ends within ${tokenMinutes} minutes, by the expiry that the API server keeps`,
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
    ) as { items: TokenSecret[] };
    const lasting = items.flatMap(({ metadata, data = {} }) => {
      const expiry = Buffer.from(data.expiration ?? "", "base64").toString();
      const minutes = (Date.parse(expiry) - Date.now()) / 60_000;
      // A minute for clocks that differ; without a date the comparison does not hold.
      if (minutes <= tokenMinutes + 1) return [];
      return [
        `kube-system/${metadata.name}: a bootstrap token that ends ${expiry === "" ? "never" : `at ${expiry}`}`,
      ];
    });
    return expectNothing(
      [
        ...answers
          .filter(({ output }) => output !== "")
          .map(({ node, output }) => `${node}: ${output}`),
        ...lasting,
      ],
      `super-admin.conf: absent; tokens of joins: ${items.length}, each of ${tokenMinutes} minutes at most`,
    );
  },
};

interface TokenSecret {
  metadata: { name: string };
  data?: { expiration?: string };
}
