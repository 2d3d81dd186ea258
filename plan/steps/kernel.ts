import type { Config } from "../../config/config.ts";
import { reservedPorts } from "../../config/ports.ts";
import type { Directive } from "../directive.ts";
import { effect } from "../effect.ts";
import { defineStep } from "../step.ts";

interface Sysctl {
  key: string;
  value: string;
  /** `machine`: one value for the whole machine; `network`: one per network namespace. */
  scope: "machine" | "network";
  why: string;
  directive?: Directive;
}

const modules: { name: string; why: string }[] = [
  { name: "overlay", why: "containerd's snapshots" },
  { name: "nf_conntrack", why: "its sysctl keys exist only once it is loaded" },
  { name: "tcp_bbr", why: "the congestion control bbr" },
  { name: "sch_fq", why: "the queueing discipline fq, which paces BBR" },
  { name: "xt_TPROXY", why: "Cilium's L7 redirection" },
  { name: "xt_socket", why: "Cilium's L7 redirection" },
];

type Part = Pick<Config, "cluster" | "network" | "tuning">;

/** Every kernel parameter of the plan, with its reason. */
export function sysctls(config: Part): Sysctl[] {
  const { network, tuning } = config;
  const own: Sysctl[] = [
    {
      key: "net.netfilter.nf_conntrack_max",
      value: "131072",
      scope: "machine",
      why: "connections that the host tracks; pods' flows use Cilium's own maps",
      directive: {
        article: "003",
        says: "net.netfilter.nf_conntrack_max = 131072",
        why: "Applied; nf_conntrack is loaded first, or the key does not exist. Under BPF host routing pod flows are tracked in Cilium's maps instead.",
      },
    },
    {
      key: "net.netfilter.nf_conntrack_expect_max",
      value: "8192",
      scope: "machine",
      why: "expected connections of protocol helpers",
      directive: {
        article: "003",
        says: "net.ipv4.netfilter.ip_conntrack_expect_max = 8192",
        why: "Corrected: that path left the kernel with ip_conntrack; the key is net.netfilter.nf_conntrack_expect_max.",
      },
    },
    {
      key: "net.ipv4.tcp_tw_reuse",
      value: "1",
      scope: "network",
      why: "reuse TIME-WAIT sockets for new outgoing connections",
      directive: {
        article: "003",
        says: "net.ipv4.tcp_tw_reuse = 1",
        why: "Applied to the host; the value is per network namespace and does not reach pods.",
      },
    },
    {
      key: "net.ipv4.tcp_fin_timeout",
      value: "15",
      scope: "network",
      why: "seconds in FIN-WAIT-2",
      directive: {
        article: "003",
        says: "net.ipv4.tcp_fin_timeout = 15",
        why: "Applied to the host; the value is per network namespace and does not reach pods.",
      },
    },
    {
      key: "net.ipv4.ip_local_port_range",
      value: "1024 65535",
      scope: "network",
      why: "ephemeral ports",
      directive: {
        article: "003",
        says: "net.ipv4.ip_local_port_range = 1024 65535",
        why: "Applied, together with ip_local_reserved_ports: the range holds the API server's, etcd's, the kubelet's and every NodePort's port.",
      },
    },
    {
      key: "net.ipv4.ip_local_reserved_ports",
      value: reservedPorts(config),
      scope: "network",
      why: "ports of config/ports.ts within the range above",
    },
    {
      key: "net.core.default_qdisc",
      value: "fq",
      scope: "machine",
      why: "paces what BBR sends",
      directive: {
        article: "003",
        says: "net.core.default_qdisc = fq",
        why: "Applied to the host; pods get fq and BBR from Cilium's bandwidth manager.",
      },
    },
    {
      key: "net.ipv4.tcp_congestion_control",
      value: "bbr",
      scope: "machine",
      why: "the host's own connections",
      directive: {
        article: "003",
        says: "net.ipv4.tcp_congestion_control = bbr",
        why: "Applied to the host; pods get it from bandwidthManager.bbr. The bandwidth manager without bbr would set the host back to cubic, so that pair is refused.",
      },
    },
    { key: "net.ipv4.ip_forward", value: "1", scope: "network", why: "nodes route for pods" },
    {
      key: "net.ipv4.conf.all.rp_filter",
      value: "0",
      scope: "network",
      why: "DSR's answers and native routing bring packets that the filter takes for spoofed",
    },
    {
      key: `net/ipv4/conf/${network.vlan.interface}/rp_filter`,
      value: "0",
      scope: "network",
      why: "the stricter of `all` and the interface wins, and Cilium's agent sets only `all`",
    },
    ...(network.families.includes(6)
      ? ([
          {
            key: "net.ipv6.conf.all.forwarding",
            value: "1",
            scope: "network",
            why: "nodes route for pods",
          },
        ] as const)
      : []),
    {
      key: "fs.inotify.max_user_instances",
      value: "8192",
      scope: "machine",
      why: "one per kubelet watch and log follower",
    },
    {
      key: "fs.inotify.max_user_watches",
      value: "1048576",
      scope: "machine",
      why: "config maps and logs of many pods",
    },
    { key: "vm.overcommit_memory", value: "1", scope: "machine", why: "what the kubelet expects" },
    {
      key: "kernel.panic",
      value: "10",
      scope: "machine",
      why: "reboot 10 s after a panic; a hung node is worse than a lost one",
    },
    { key: "kernel.panic_on_oops", value: "1", scope: "machine", why: "what the kubelet expects" },
  ];
  const extra = Object.entries(tuning.sysctl);
  return [
    ...own.filter((entry) => !(entry.key.replaceAll("/", ".") in tuning.sysctl)),
    ...extra.map(
      ([key, value]): Sysctl => ({
        key,
        value,
        scope: own.find((entry) => entry.key === key)?.scope ?? scopeOf(key),
        why: "tuning.sysctl",
      }),
    ),
  ];
}

function scopeOf(key: string): Sysctl["scope"] {
  return key.startsWith("net.") ? "network" : "machine";
}

function renderModules(hostWide: boolean): string {
  const prefix = hostWide ? "" : "# left out (sharedKernel.hostWide: false): ";
  return modules.flatMap(({ name, why }) => [`# ${why}`, `${prefix}${name}`]).join("\n");
}

function renderSysctls(entries: Sysctl[], hostWide: boolean): string {
  return entries
    .flatMap(({ key, value, scope, why }) => {
      const leftOut = scope === "machine" && !hostWide;
      return [
        `# ${why}`,
        `${leftOut ? "# left out (sharedKernel.hostWide: false): " : ""}${key} = ${value}`,
      ];
    })
    .join("\n");
}

/** Modules and kernel parameters of every node. */
export const kernel = defineStep({
  name: "kernel",
  resource: "base",
  document: (config) => ({
    vars: { HOST_WIDE: config.sharedKernel.hostWide },
    files: {
      "/etc/modules-load.d/99-k8s-network.conf": renderModules(config.sharedKernel.hostWide),
      "/etc/sysctl.d/99-k8s-network.conf": renderSysctls(
        sysctls(config),
        config.sharedKernel.hostWide,
      ),
    },
  }),
  effects: {
    default: effect(
      "live",
      "loaded and set at once; a parameter that is no longer named keeps its value until the next boot",
    ),
  },
  directives: (config) =>
    sysctls(config).flatMap(({ key, value, directive }) =>
      directive ? [{ ...directive, applied: `${key} = ${value}` }] : [],
    ),
});
