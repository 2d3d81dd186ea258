import type { Rule } from "../rule.ts";

const off = ["0"];
const on = ["1"];
const forwarding = "nodes route for pods";

/** What the cluster is lost without; `*` means any interface, all and default. */
const needed: { key: string; allowed: readonly string[]; why: string }[] = [
  { key: "net.ipv4.ip_forward", allowed: on, why: forwarding },
  { key: "net.ipv4.conf.*.forwarding", allowed: on, why: forwarding },
  {
    key: "net.ipv4.conf.*.rp_filter",
    allowed: ["0", "2"],
    why: "the strict filter drops DSR's answers, which carry another node's address",
  },
  { key: "net.ipv6.conf.*.forwarding", allowed: on, why: forwarding },
  { key: "net.ipv6.conf.*.disable_ipv6", allowed: off, why: "the node would lose its addresses" },
  { key: "net.ipv4.icmp_echo_ignore_all", allowed: off, why: "nodes are measured by ping" },
  {
    key: "kernel.modules_disabled",
    allowed: off,
    why: "Cilium and containerd load modules later, and nothing but a boot takes it back",
  },
  { key: "net.core.bpf_jit_enable", allowed: ["1", "2"], why: "the datapath is BPF" },
];

/** Overrides that would break what the cluster is for. */
export const neededSysctls: Rule = function* ({ tuning, network }) {
  for (const [key, value] of Object.entries(tuning.sysctl)) {
    if (key.startsWith("net.ipv6.") && !network.families.includes(6)) continue;
    const need = needed.find((one) => meets(one.key, key));
    if (need === undefined || need.allowed.includes(value)) continue;
    yield {
      path: `tuning.sysctl["${key}"]`,
      value,
      why: need.why,
      fix: `write ${need.allowed.join(" or ")}, or remove it`,
    };
  }
};

/** Parameters whose value the kernel runs as root. */
const commands = [
  "kernel.modprobe",
  "kernel.hotplug",
  "kernel.poweroff_cmd",
  "fs.binfmt_misc.register",
];
/** What a crash is handed to; a file's name is harmless. */
const corePattern = "kernel.core_pattern";

/** A pull request that changes a number must not be one that runs a command on every node. */
export const harmlessSysctls: Rule = function* ({ tuning }) {
  for (const [key, value] of Object.entries(tuning.sysctl)) {
    const named = value.trimStart().startsWith("|") ? [...commands, corePattern] : commands;
    const command = named.find((one) => one === key);
    if (command === undefined) continue;
    yield {
      path: `tuning.sysctl["${key}"]`,
      value,
      why: `the kernel runs the value of ${command} as root, on every node`,
      fix: "remove it",
    };
  }
};

/** Part by part; the dots of an interface's name are slashes in a key. */
function meets(needed: string, key: string): boolean {
  const [wanted, parts] = [needed.split("."), key.split(".")];
  return (
    wanted.length === parts.length && wanted.every((part, i) => part === "*" || part === parts[i])
  );
}
