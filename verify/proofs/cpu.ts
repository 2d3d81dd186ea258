import { onEveryNode } from "../cluster.ts";
import { expectNothing, type Proof } from "../proof.ts";

const windowSeconds = 5;

/** Lines `cpuN steal softirq`, in percent of the window. */
const script = `read_cpus() { grep '^cpu[0-9]' /proc/stat; }
before=$(read_cpus)
sleep ${windowSeconds}
{ echo "$before"; read_cpus; } | awk '
  { total = 0; for (i = 2; i <= 9; i++) total += $i }
  !($1 in all) { all[$1] = total; soft[$1] = $8; steal[$1] = $9; next }
  { span = total - all[$1]; if (span < 1) span = 1; printf "%s %.2f %.2f\\n", $1, 100 * ($9 - steal[$1]) / span, 100 * ($8 - soft[$1]) / span }'`;

export const cpuProof: Proof = {
  promise: "No CPU is stolen by the hypervisor or eaten by interrupts",
  proof: `/proc/stat over ${windowSeconds} s, per CPU on every node; bounds: gates.stealPercent, verify.softirqPercent`,
  fix: "ask the provider of the machine for CPU that is not shared, or move the node",
  async prove(cluster) {
    const { gates, verify } = cluster.config;
    const answers = await onEveryNode(cluster, script);
    const cpus = answers.flatMap(({ node, output }) =>
      output.split("\n").map((line) => {
        const [cpu, steal, softirq] = line.split(" ");
        return { name: `${node} ${cpu}`, steal: Number(steal), softirq: Number(softirq) };
      }),
    );
    const found = cpus.flatMap(({ name, steal, softirq }) => [
      ...(steal > gates.stealPercent
        ? [`${name}: steal ${steal} %, allowed ${gates.stealPercent} %: the hypervisor is oversold`]
        : []),
      ...(softirq > verify.softirqPercent
        ? [
            `${name}: softirq ${softirq} %, allowed ${verify.softirqPercent} %: spread the interrupts`,
          ]
        : []),
    ]);
    const most = (key: "steal" | "softirq") => Math.max(...cpus.map((cpu) => cpu[key]));
    return expectNothing(
      found,
      `${cpus.length} CPUs: steal at most ${most("steal")} %, softirq at most ${most("softirq")} %`,
    );
  },
};
