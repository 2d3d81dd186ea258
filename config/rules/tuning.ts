import type { Rule } from "../rule.ts";

const needed: Record<string, { allowed: readonly string[]; why: string }> = {
  "net.ipv4.ip_forward": { allowed: ["1"], why: "nodes route for pods" },
  "net.ipv6.conf.all.forwarding": { allowed: ["1"], why: "nodes route for pods" },
  "net.ipv4.conf.all.rp_filter": {
    allowed: ["0", "2"],
    why: "the strict filter drops DSR's answers, which carry another node's address",
  },
};

/** The stricter of `all` and the interface's own wins. */
const anyRpFilter = /^net\.ipv4\.conf\..+\.rp_filter$/;

/** Overrides that would break what the cluster is for. */
export const neededSysctls: Rule = function* ({ tuning }) {
  for (const [key, value] of Object.entries(tuning.sysctl)) {
    const need = needed[key.replace(anyRpFilter, "net.ipv4.conf.all.rp_filter")];
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
    const pattern = new RegExp(`^${key.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
    const named = value.trimStart().startsWith("|") ? [...commands, corePattern] : commands;
    const command = named.find((one) => pattern.test(one));
    if (command === undefined) continue;
    yield {
      path: `tuning.sysctl["${key}"]`,
      value,
      why: `the kernel runs the value of ${command} as root, on every node`,
      fix: "remove it",
    };
  }
};
