import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { stack } from "../stack.ts";
import { refuses, takes } from "./refuses.ts";

const sysctl = (key: string, value: unknown) => ({ "tuning.sysctl": { [key]: value } });

describe("plain http", () => {
  refuses([
    { name: "for packages", changes: { "artifacts.kubernetes.url": "http://a.no" }, says: "https" },
    {
      name: "for containerd's packages and key",
      changes: { "artifacts.containerd.url": "http://mirror.lan/docker" },
      says: "add mirror.lan to artifacts.plainHttpHosts",
    },
    { name: "for charts", changes: { "artifacts.charts": "http://a.no" }, says: "https" },
    {
      name: "for images",
      changes: { "artifacts.registries": { "quay.io": "http://[fd00::5]:5000" } },
      at: ['artifacts.registries["quay.io"]'],
      says: "add fd00::5 to",
    },
    {
      name: "for a host that begins like one that is named",
      changes: {
        "artifacts.charts": "http://mirror.lan.evil.example",
        "artifacts.plainHttpHosts": ["mirror.lan"],
      },
      says: "https",
    },
    {
      name: "for a public address",
      changes: { "artifacts.plainHttpHosts": ["10.0.0.5", "8.8.8.8"] },
      at: ["artifacts.plainHttpHosts[1]"],
      says: "not an address of a private network",
    },
  ]);
  takes([
    {
      name: "for private mirrors that are named",
      changes: {
        "artifacts.kubernetes.url": "http://mirror.lan:8080/k8s",
        "artifacts.registries": { "quay.io": "http://[fd00::5]:5000" },
        "artifacts.plainHttpHosts": ["mirror.lan", "fd00::5"],
      },
    },
  ]);
});

describe("a login in an address", () => {
  refuses([
    {
      name: "of packages, with the file that apt reads",
      changes: { "artifacts.kubernetes.url": "https://me:pass@mirror.example.no/k8s" },
      says: "/etc/apt/auth.conf.d/oslo-cluster.conf",
    },
    {
      name: "that is a token without a password",
      changes: { "artifacts.charts": "https://ghp_0123@mirror.example.no" },
      says: "let the nodes and this machine in by their addresses",
    },
    {
      name: "of images",
      changes: { "artifacts.registries": { "quay.io": "https://me:pass@mirror.example.no" } },
      at: ['artifacts.registries["quay.io"]'],
      says: "a password or token",
    },
    {
      name: "in a query",
      changes: { "artifacts.charts": "https://mirror.example.no/?access_token=abc" },
      says: "a password or token",
    },
    {
      name: "in Cilium's own values",
      changes: { "cilium.values": { hubble: { export: { url: "https://me:pass@log.no" } } } },
      at: ["cilium.values.hubble.export.url"],
      says: "a password or token",
    },
  ]);
  takes([
    {
      name: "an @ in a path, a query without a secret, and an image by digest",
      changes: {
        "artifacts.charts": "https://mirror.example.no/a@b?version=2",
        "cilium.values": { podAnnotations: { mail: "me@example.no", see: "https://a.no/?page=2" } },
      },
    },
  ]);

  it.each([
    ["https://me:hunter2@mirror.example.no/k8s", "https://…@mirror.example.no/k8s"],
    ["https://mirror.example.no/?sig=hunter2&a=1", "https://mirror.example.no/?sig=…"],
    // Wrong by its schema already.
    ["ftp://me:hunter2@mirror.example.no", "ftp://…@mirror.example.no"],
  ])("is not repeated by the error: %s", (url, shown) => {
    const load = () => loadConfig(stack({ "artifacts.kubernetes.url": url }), "test.yaml");
    expect(load).toThrow(shown);
    expect(load).not.toThrow("hunter2");
  });
});

describe("a kernel parameter that runs a command", () => {
  const at = (key: string) => [`tuning.sysctl["${key}"]`];
  const says = "as root, on every node";
  refuses(
    [
      ["kernel.core_pattern", "|/bin/sh -c id"],
      ["kernel.core_pattern", "  |/bin/sh"],
      ["kernel.modprobe", "/tmp/x"],
      ["fs.binfmt_misc.register", ":x:E::x::/tmp/x:"],
      ["kernel.hotplug", "/tmp/x"],
    ].map(([key = "", value]) => ({
      name: `${key}=${value}`,
      changes: sysctl(key, value),
      at: at(key),
      says,
    })),
  );
  refuses(
    ["kernel.mod*", "kernel.core_*", "fs.*.register"].map((key) => ({
      name: `by a pattern, whatever it is of: ${key}`,
      changes: sysctl(key, "|/tmp/x"),
      at: at(key),
      says: "not a sysctl key",
    })),
  );
  refuses([
    {
      name: "on a way round by the parent directory",
      changes: sysctl("net.//.kernel.core_pattern", "|/bin/sh"),
      at: at("net.//.kernel.core_pattern"),
      says: "not a sysctl key",
    },
  ]);
  takes([
    { name: "a core's file name", changes: sysctl("kernel.core_pattern", "/var/crash/%p") },
    { name: "an interface with a dot", changes: sysctl("net.ipv4.conf.eth0/100.rp_filter", 2) },
  ]);
});
