import { grouped, onEveryNode } from "../cluster.ts";
import { expectNothing, type Proof } from "../proof.ts";

export const packagesProof: Proof = {
  promise: "containerd and Kubernetes stay at the versions that were reviewed",
  proof: "dpkg's installed versions against the plan's pins, and apt-mark showhold, on every node",
  fix: "`pulumi up` installs the pinned versions; find what changed them in /var/log/apt/history.log",
  async prove(cluster) {
    const pins = new Map(
      cluster.plan.nodes.map(({ name, steps }) => [
        name,
        steps.packages?.vars.PACKAGES?.split(" ") ?? [],
      ]),
    );
    const answers = await onEveryNode(
      cluster,
      `for p in $(apt-mark showhold); do dpkg-query -W -f='\${Package}=\${Version} ' "$p"; done`,
    );
    const found = answers.flatMap(({ node, output }) => {
      const held = output.split(" ");
      return (pins.get(node) ?? [])
        .filter((pin) => !held.includes(pin))
        .map((pin) => `${node}: ${pin} is not installed and held`);
    });
    return expectNothing(found, `held on ${grouped(answers)}`);
  },
};
