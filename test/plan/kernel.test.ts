import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { reservedPorts } from "../../config/ports.ts";
import { kernel } from "../../plan/steps/kernel.ts";
import { stack } from "../stack.ts";
import { configOf } from "../stacks.ts";

const files = (changes: Record<string, unknown> = {}) =>
  kernel.document(loadConfig(stack(changes), "test"), {} as never).files ?? {};
const parameters = (changes?: Record<string, unknown>) =>
  (files(changes)["/etc/sysctl.d/99-k8s-network.conf"] as string).trim().split("\n");
const set = (lines: string[]) => lines.filter((line) => !line.startsWith("#"));

describe("kernel parameters", () => {
  it.each([
    "net.netfilter.nf_conntrack_max = 131072",
    "net.netfilter.nf_conntrack_expect_max = 8192",
    "net.ipv4.tcp_tw_reuse = 1",
    "net.ipv4.tcp_fin_timeout = 15",
    "net.ipv4.ip_local_port_range = 1024 65535",
    "net.core.default_qdisc = fq",
    "net.ipv4.tcp_congestion_control = bbr",
    "net.ipv4.ip_forward = 1",
    "net.ipv4.conf.all.rp_filter = 0",
    "net/ipv4/conf/eth1/rp_filter = 0",
    "net.ipv6.conf.all.forwarding = 1",
  ])("hold %s", (line) => {
    expect(set(parameters())).toContain(line);
  });

  it("are each set once, with the reason above it", () => {
    const keys = set(parameters()).map((line) => line.split(" = ")[0]);
    expect(new Set(keys).size).toBe(keys.length);
    expect(parameters().filter((line) => line.startsWith("# "))).toHaveLength(keys.length);
  });

  it("leave IPv6 alone on a single stack", () => {
    const single = kernel.document(configOf("two-nodes"), {} as never).files;
    expect(single?.["/etc/sysctl.d/99-k8s-network.conf"]).not.toContain("ipv6");
  });

  it("keep the nodes' ports from clients", () => {
    const config = loadConfig(stack(), "test");
    expect(set(parameters())).toContain(
      `net.ipv4.ip_local_reserved_ports = ${reservedPorts(config)}`,
    );
  });
});

describe("tuning.sysctl", () => {
  it("replaces the plan's own and adds to it", () => {
    const sysctl = {
      "net.ipv4.tcp_fin_timeout": 30,
      "net.ipv4.conf.eth1.rp_filter": 2,
      "vm.swappiness": "10",
    };
    const lines = set(parameters({ "tuning.sysctl": sysctl }));
    expect(lines.filter((line) => line.includes("tcp_fin_timeout"))).toEqual([
      "net.ipv4.tcp_fin_timeout = 30",
    ]);
    expect(lines.filter((line) => /eth1.rp_filter/.test(line))).toEqual([
      "net.ipv4.conf.eth1.rp_filter = 2",
    ]);
    expect(lines).toContain("vm.swappiness = 10");
  });
});

describe("hostWide: false", () => {
  const narrow = { "sharedKernel.hostWide": false, "tuning.sysctl": { "vm.swappiness": 10 } };

  it("leaves out, and says so, what belongs to the whole machine", () => {
    const left = parameters(narrow).filter((line) => line.startsWith("# left out"));
    expect(left.map((line) => line.replace(/.*: /, ""))).toEqual(
      expect.arrayContaining(["net.core.default_qdisc = fq", "vm.swappiness = 10"]),
    );
    expect(set(parameters(narrow)).every((line) => line.startsWith("net"))).toBe(true);
    expect(set(parameters(narrow))).toContain("net.ipv4.ip_forward = 1");
  });

  it("loads no module", () => {
    const modules = files(narrow)["/etc/modules-load.d/99-k8s-network.conf"] as string;
    expect(set(modules.trim().split("\n"))).toEqual([]);
    const loaded = files()["/etc/modules-load.d/99-k8s-network.conf"] as string;
    expect(set(loaded.trim().split("\n"))).toContain("nf_conntrack");
  });
});
