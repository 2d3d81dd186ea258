import { onEveryNode } from "../cluster.ts";
import { expectNothing, type Proof } from "../proof.ts";

/** Strict filtering of an interface, from which the kernel takes the stricter of its own and `all`. */
const script = `cd /proc/sys/net/ipv4/conf
all=$(cat all/rp_filter)
for directory in */; do
  name=\${directory%/}
  case $name in all | default | lo) continue ;; esac
  own=$(cat "$name/rp_filter")
  effective=$((own > all ? own : all))
  if [ "$effective" = 1 ]; then echo "$name is strict (all $all, own $own)"; fi
done`;

export const reversePathProof: Proof = {
  promise: "No reverse-path filter takes DSR's answers or pods' packets for spoofed ones",
  proof: "the effective rp_filter of every interface on every node: 0 or 2, never 1",
  fix: "`pulumi up` writes the value; find what sets another in /etc/sysctl.d",
  async prove(cluster) {
    const { interface: device } = cluster.config.network.vlan;
    const answers = await onEveryNode(cluster, script);
    const ours = new RegExp(`^(${device.replaceAll(".", "\\.")}|cilium_|lxc)`);
    const found = answers.flatMap(({ node, output }) =>
      output
        .split("\n")
        .filter((line) => ours.test(line))
        .map((line) => `${node}: ${line}`),
    );
    return expectNothing(found, `none on ${device}, cilium_* and lxc* of ${answers.length} nodes`);
  },
};
