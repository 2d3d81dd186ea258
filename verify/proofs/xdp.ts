import { agentFunction, onEveryNode } from "../cluster.ts";
import {
  expectNothing,
  fail,
  notEnabled,
  notProved,
  type Proof,
  pass,
  type Verdict,
  worst,
} from "../proof.ts";

/** Per device of the agent: its name, and whether the kernel shows Cilium's program on it. */
const script = `${agentFunction}
devices=$(agent cilium-dbg status --verbose | sed -n 's/^ *Devices: *//p' | head -n 1 | grep -oE '(^|, |  )[a-z][A-Za-z0-9._-]*' | tr -d ', ')
[ -n "$devices" ] || { echo 'the agent names no device' >&2; exit 1; }
attached=$(agent bpftool net show)
for device in $devices; do
  if ip -d link show dev "$device" | grep -F prog/xdp >/dev/null && grep -E "^$device\\(.*cil_xdp_entry|^$device\\(.*(driver|generic) id" <<<"$attached" >/dev/null; then
    echo "$device attached"
  else
    echo "$device not attached"
  fi
done`;

export const xdpProof: Proof = {
  promise: "XDP takes packets before the kernel does, on every device of Cilium's load balancer",
  proof:
    "ip -d link show (prog/xdp) and bpftool net show, per device on every node; never the agent's own word",
  fix: "the device's driver has no XDP: set cilium.loadBalancer.acceleration: best-effort or disabled",
  async prove(cluster) {
    const { acceleration } = cluster.config.cilium.loadBalancer;
    const answers = await onEveryNode(cluster, script);
    const verdicts = answers.flatMap(({ node, output }) =>
      output.split("\n").map((line): Verdict => {
        const isAttached = !line.endsWith("not attached");
        const reading = `${node}: ${line}`;
        if (acceleration === "disabled") {
          return isAttached
            ? fail(`${reading}, and cilium.loadBalancer.acceleration is disabled`)
            : notEnabled("cilium.loadBalancer.acceleration is disabled");
        }
        if (isAttached) return pass(reading);
        return acceleration === "native"
          ? fail(reading)
          : notProved(`${reading}: the device refused it, and best-effort continues without`);
      }),
    );
    const result = worst(verdicts);
    return result.verdict === "pass"
      ? expectNothing([], `${verdicts.length} devices on ${answers.length} nodes`)
      : result;
  },
};
