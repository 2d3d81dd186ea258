import { describe } from "vitest";
import { refuses, takes } from "./refuses.ts";

const route = "gatewayApi.routes[0]";
const rule = `${route}.rules[0]`;
const many = (count: number, make: (i: number) => unknown) =>
  Array.from({ length: count }, (_, i) => make(i));
const backends = [{ name: "v1", port: 80 }];
const withRules = (changes: Record<string, unknown>) => ({
  [`${route}.backends`]: undefined,
  [`${route}.rules`]: [{ backends }],
  ...changes,
});
const refused = (name: string, at: string, value: unknown, says: string, inRules = false) => ({
  name,
  changes: inRules ? withRules({ [at]: value }) : { [at]: value },
  at: [at],
  says,
});

describe("characters that nobody can mean", () => {
  const description = "policies.networkPolicies[0]";
  const policy = (text: string) => ({
    [description]: { name: "a", namespace: "b", description: text, ingress: [] },
  });
  refuses([
    ...["\0", "\u001b[31m", "\u0085", "\u2028", "\u007f"].map((text) => ({
      name: JSON.stringify(text),
      changes: policy(`a${text}b`),
      at: [`${description}.description`],
      says: "control character",
    })),
    {
      name: "an escape in a key of values",
      changes: { "cilium.values": { "a\u001b": 1 } },
      at: ['cilium.values["a\\u001b"]'],
      says: "U+001B",
    },
    {
      name: "a line's end in an address",
      changes: { "artifacts.charts": "https://a.example/x\ny" },
      says: "white space",
    },
    {
      name: "a check that kubeadm does not have",
      changes: { "sharedKernel.ignorePreflightErrors": ["a b"] },
      at: ["sharedKernel.ignorePreflightErrors[0]"],
      says: "SystemVerification",
    },
  ]);
  takes([
    { name: "lines and tabs of a description", changes: policy("one\n\ttwo\r\n") },
    {
      name: "an apostrophe in an address",
      changes: { "artifacts.charts": "https://a.example/it's" },
    },
    { name: "all checks", changes: { "sharedKernel.ignorePreflightErrors": ["all"] } },
  ]);
});

describe("limits of the Gateway API", () => {
  const hosts = (count: number) => many(count, (i) => `a${i}.example.no`);
  const listeners = (count: number) => many(count, (i) => ({ name: `a${i}`, port: 40_000 + i }));
  const gateway = (count: number) => ({
    "gatewayApi.gateways": [{ name: "a", namespace: "b", listeners: listeners(count) }],
  });
  const matches = (rules: number, each: number) =>
    many(rules, (r) => ({ backends, matches: many(each, (m) => ({ path: `/${r}/${m}` })) }));
  const value = (text: string) => ({ set: { "X-A": text } });
  const path = `${route}.pathPrefix`;
  const set = `${rule}.requestHeaders.set`;
  refuses(
    [
      refused("17 host names", `${route}.hostnames`, hosts(17), "16 host names"),
      refused(
        "a host name with a label of 64",
        `${route}.hostnames`,
        [`${"a".repeat(64)}.no`],
        "63",
      ),
      refused("17 rules", `${route}.rules`, matches(17, 1), "16 rules", true),
      refused("129 matches", `${route}.rules`, matches(3, 43), "128 matches", true),
      refused(
        "17 backends",
        `${rule}.backends`,
        many(17, (i) => ({ name: `a${i}`, port: 80, weight: 5 })),
        "16 backends",
        true,
      ),
      {
        name: "65 listeners",
        changes: gateway(65),
        at: ["gatewayApi.gateways[0].listeners"],
        says: "64",
      },
      refused("a path with //", path, "/a//b", "%2F"),
      refused("a path with ..", path, "/a/..", "%2F"),
      refused("a path with a blank", path, "/a b", "hexadecimal"),
      refused("a path with a query", path, "/a?b", "hexadecimal"),
      refused("a path of 1025", path, `/${"a".repeat(1024)}`, "1024"),
      ...["a\r\nX-B: b", "a\nb", "a\tb"].map((text) => ({
        name: `the header ${JSON.stringify(text)}`,
        changes: withRules({ [`${rule}.requestHeaders`]: value(text) }),
        at: [`${set}.X-A`],
        says: "one line",
      })),
      {
        name: "a header of 4097",
        changes: withRules({ [`${rule}.requestHeaders`]: value("a".repeat(4097)) }),
        at: [`${set}.X-A`],
        says: "4096",
      },
    ].map((one) =>
      one.at[0] === `${route}.hostnames` && one.says === "63"
        ? { ...one, at: [`${route}.hostnames[0]`] }
        : one,
    ),
  );
  takes([
    { name: "16 host names", changes: { [`${route}.hostnames`]: hosts(16) } },
    {
      name: "16 rules and 128 matches",
      changes: withRules({ [`${route}.rules`]: matches(16, 8) }),
    },
    { name: "64 listeners", changes: gateway(64) },
    { name: "a path in UTF-8", changes: { [path]: "/bl%C3%A5b%C3%A6r;v=1" } },
  ]);
});

describe("packages and their repositories", () => {
  const url = "artifacts.kubernetes.url";
  const version = "kubernetes.containerd.packageVersion";
  const suite = "artifacts.containerd.suite";
  const registries = (key: string) => ({ "artifacts.registries": { [key]: "https://a.example" } });
  refuses([
    refused(
      "a repository of another minor",
      url,
      "https://pkgs.k8s.io/core:/stable:/v1.35/deb",
      "v1.36",
    ),
    refused("another suite's package", version, "2.4.1-1~debian.12~bookworm", "of trixie"),
    {
      name: "another suite",
      changes: { [suite]: "bookworm" },
      at: [version],
      says: "suite: trixie",
    },
    {
      name: "a registry that is none",
      changes: registries("_all"),
      at: ["artifacts.registries._all"],
      says: "_default",
    },
  ]);
  takes([
    { name: "the same minor of a mirror", changes: { [url]: "https://a.example/v1.36/deb/" } },
    { name: "a mirror that names none", changes: { [url]: "https://a.example/v2/kubernetes" } },
    {
      name: "a version without its release",
      changes: { [version]: "2.4.2-1", [suite]: "bookworm" },
    },
    {
      name: "Ubuntu's",
      changes: { [version]: "2.4.1-1~ubuntu.24.04~noble", [suite]: "noble" },
    },
    { name: "a mirror for all registries", changes: registries("_default") },
  ]);
});

describe("host keys", () => {
  const at = "nodes.existing[0].ssh.hostKey";
  const body = "AAAAC3NzaC1lZDI1NTE5AAAAIBYs7HDDdpMQwXcVQ3bO3CzgEIRs4PdFUDTeDbTGr1gY";
  refuses([
    refused("one that lost its end", at, `ssh-ed25519 ${body.slice(0, -8)}`, "45 bytes"),
    refused("one with more than it has", at, `ssh-ed25519 ${body}AAAA`, "54 bytes"),
    refused(
      "junk of a plausible length",
      at,
      `ssh-ed25519 AAAA${"x".repeat(64)}`,
      "no key follows",
    ),
    refused("an algorithm's name alone", at, "ssh-ed25519 AAAA", "no key follows"),
    refused("one of another algorithm", at, `ssh-rsa ${body}`, "a key of ssh-ed25519"),
    refused(
      "an RSA key that is cut",
      at,
      `ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ${"A".repeat(40)}`,
      "279",
    ),
  ]);
  takes([{ name: "a whole one", changes: { [at]: `ssh-ed25519 ${body} root@"host" it's` } }]);
});
