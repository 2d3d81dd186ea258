import { onEveryNode } from "../cluster.ts";
import { expectNothing, notProved, type Proof } from "../proof.ts";

const file = "/etc/sysctl.d/99-k8s-network.conf";

/** The parameters of a rendered document, and how many it leaves out. */
export function parameters(document: string): { set: [string, string][]; leftOut: number } {
  const lines = document.split("\n");
  const set = lines
    .filter((line) => /^[^#]/.test(line))
    .map((line) => line.split(" = ") as [string, string]);
  return { set, leftOut: lines.filter((line) => line.startsWith("# left out")).length };
}

export const sysctlsProof: Proof = {
  promise: "Every kernel parameter holds the value of its rendered document",
  proof: `sysctl on every node, against ${file} as the plan renders it`,
  fix: "`pulumi up` writes the values; find what sets another in /etc/sysctl.d",
  async prove(cluster) {
    const documents = new Map(
      cluster.plan.nodes.map(({ name, steps }) => [
        name,
        parameters(steps.kernel?.files[file] ?? ""),
      ]),
    );
    const answers = await onEveryNode(cluster, (node) => {
      const keys = documents.get(node)?.set.map(([key]) => `'${key}'`) ?? [];
      return `for key in ${keys.join(" ")}; do sysctl --values "$key" 2>&1 | tr -s '\\t ' ' '; done`;
    });
    const found = answers.flatMap(({ node, output }) => {
      const actual = output.split("\n");
      return (documents.get(node)?.set ?? [])
        .map(([key, wanted], i) => ({ key, wanted, is: actual[i] ?? "(nothing)" }))
        .filter(({ wanted, is }) => is !== wanted)
        .map(({ key, wanted, is }) => `${node}: ${key} is ${is}, expected ${wanted}`);
    });
    const [first] = documents.values();
    if (first === undefined || first.set.length === 0)
      return notProved("the document sets nothing");
    const left =
      first.leftOut > 0 ? `, ${first.leftOut} left out (sharedKernel.hostWide: false)` : "";
    return expectNothing(found, `${first.set.length} hold on ${answers.length} nodes${left}`);
  },
};
