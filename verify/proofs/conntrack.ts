import { agentFunction, onEveryNode } from "../cluster.ts";
import { fail, notProved, type Proof, pass, worst } from "../proof.ts";

/** Lines `what used%`; the agent reports the pressure of each of its maps as a share of 1. */
const script = `${agentFunction}
cd /proc/sys/net/netfilter 2>/dev/null && [ -r nf_conntrack_max ] &&
  awk -v max="$(cat nf_conntrack_max)" '{ printf "nf_conntrack %.1f (%d of %d)\\n", 100 * $1 / max, $1, max }' nf_conntrack_count
cd /
agent cilium-dbg metrics list --match-pattern bpf_map_pressure |
  awk 'match($0, /map_name="?[a-z0-9_]+/) { name = substr($0, RSTART, RLENGTH); sub(/.*["=]/, "", name); printf "%s %.1f\\n", name, 100 * $NF }'`;

export const conntrackProof: Proof = {
  promise: "No table of connections is close to full",
  proof:
    "nf_conntrack_count against nf_conntrack_max, and the pressure of Cilium's own maps as its agent measures it, on every node; bound: verify.tableUsePercent",
  fix: "raise tuning.sysctl's net.netfilter.nf_conntrack_max, or cilium.bpf.ctTcpMax, ctAnyMax and natMax, or the node's memory: a full table drops new connections",
  async prove(cluster) {
    const bound = cluster.config.verify.tableUsePercent;
    const answers = await onEveryNode(cluster, script);
    const verdicts = answers.map(({ node, output }) => {
      const tables = output
        .split("\n")
        .filter(Boolean)
        .map((line) => {
          const [name = "", percent = "", ...rest] = line.split(" ");
          return {
            name,
            percent: Number(percent),
            text: [`${name} ${percent} %`, ...rest].join(" "),
          };
        });
      const full = tables.filter(({ percent }) => percent > bound);
      if (full.length > 0) {
        return fail(
          `${node}: ${full.map(({ text }) => text).join(", ")}, allowed ${bound} %: raise nf_conntrack_max (tuning.sysctl) or Cilium's map sizes`,
        );
      }
      const maps = tables.filter(({ name }) => name !== "nf_conntrack");
      if (maps.length === 0) return notProved(`${node}: the agent reports no map's pressure`);
      const host = tables.find(({ name }) => name === "nf_conntrack");
      const [fullest] = maps.toSorted((a, b) => b.percent - a.percent);
      return pass(
        `${node}: ${host ? host.text : "no nf_conntrack"}, fullest of ${maps.length} maps ${fullest?.text}`,
      );
    });
    return worst(verdicts);
  },
};
