import { describe } from "vitest";
import { refuses, takes } from "./refuses.ts";

describe("kernel parameters", () => {
  const sysctl = (key: string, value: unknown) => ({ "tuning.sysctl": { [key]: value } });
  const at = (key: string) => [`tuning.sysctl["${key}"]`];
  refuses(
    (
      [
        ["net.ipv4.ip_forward", 0, "nodes route for pods"],
        ["net.ipv6.conf.all.forwarding", "0", "nodes route for pods"],
        ["net.ipv4.conf.all.rp_filter", 1, "write 0 or 2"],
        ["net.ipv4.conf.eth1.rp_filter", 1, "drops DSR's answers"],
        ["net.ipv4.conf.eth0/100.rp_filter", 1, "drops DSR's answers"],
        ["net.ipv4.conf.all.forwarding", 0, "nodes route for pods"],
        ["net.ipv4.conf.eth1.forwarding", 0, "nodes route for pods"],
        ["net.ipv4.conf.default.forwarding", "0", "nodes route for pods"],
        ["net.ipv6.conf.eth1.forwarding", "0", "nodes route for pods"],
        ["net.ipv6.conf.all.disable_ipv6", 1, "would lose its addresses"],
        ["net.ipv6.conf.eth1.disable_ipv6", "1", "would lose its addresses"],
        ["net.ipv4.icmp_echo_ignore_all", 1, "measured by ping"],
        ["kernel.modules_disabled", 1, "load modules later"],
        ["net.core.bpf_jit_enable", 0, "the datapath is BPF"],
      ] as const
    ).map(([key, value, says]) => ({
      name: `${key} = ${value}`,
      changes: sysctl(key, value),
      at: at(key),
      says,
    })),
  );
  takes([
    { name: "another value of the plan's", changes: sysctl("net.ipv4.tcp_fin_timeout", 30) },
    { name: "one of the operator's own", changes: sysctl("vm.swappiness", "10") },
    { name: "the loose filter", changes: sysctl("net.ipv4.conf.all.rp_filter", 2) },
  ]);
});
