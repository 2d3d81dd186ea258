import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UnknownValueError } from "@pulumi/policy";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { policies } from "../../policy/policies.ts";
import { addressesOf } from "../../policy/residency.ts";
import { type Registered, runProgram } from "../components/program.ts";
import { root } from "../root.ts";
import { stackFiles, stackNames } from "../stacks.ts";
import { type Judged, violationsOf } from "./violations.ts";

/** What the engine hands over for a value that is not known in a preview. */
const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

describe.each(stackNames)("the program of %s", (stack) => {
  let resources: Registered[];
  beforeAll(async () => {
    vi.resetModules();
    resources = (await runProgram(stackFiles[stack])).resources;
  });

  it("is good: nothing is found", async () => {
    expect(resources.length).toBeGreaterThan(40);
    expect(await violationsOf(resources)).toEqual([]);
  });

  it("names no address that an allow-list could miss", async () => {
    const used = new Set(
      resources
        .filter(({ type }) => !/CustomResourceDefinition/.test(type))
        .flatMap(({ inputs }) => addressesOf(inputs)),
    );
    const list = `${[...used].sort().join("\n")}\n`;
    await expect(list).toMatchFileSnapshot(join(root, `test/golden/addresses-${stack}.txt`));
    const allowed = await violationsOf(resources, { residency: { allow: { NO: [...used] } } });
    expect(allowed).toEqual([]);
    const [first = "", ...others] = used;
    const refused = await violationsOf(resources, { residency: { allow: { NO: others } } });
    expect(refused).not.toEqual([]);
    for (const line of refused)
      expect(line).toMatch(`${first} is not in the allow-list of residency NO`);
  });
});

const hostKey = `ssh-ed25519 AAAA${"B".repeat(20)}`;
const pinned = `-o StrictHostKeyChecking=yes -o 'KnownHostsCommand=/bin/echo a.example.no ${hostKey}'`;
const quiet = { logging: "stderr", addPreviousOutputInEnv: false };
const connection = { host: "a.example.no", hostKey };

function remote(inputs: object): Judged {
  const good = { create: "true", connection, ...quiet };
  return {
    type: "command:remote:Command",
    name: "it",
    protect: false,
    inputs: { ...good, ...inputs },
  };
}
function local(inputs: object, options: Partial<Judged> = {}): Judged {
  const good = { create: "true", ...quiet };
  return {
    type: "command:local:Command",
    name: "it",
    protect: false,
    inputs: { ...good, ...inputs },
    ...options,
  };
}
function object(kind: string, spec: object): Judged {
  return { type: `kubernetes:a/v1:${kind}`, name: "it", protect: false, inputs: { spec } };
}
const etcd = { stdin: "# Measured.\nETCD_DISK='1'\n" };

const bad: [what: string, resource: Judged, policy: string, config?: Record<string, object>][] = [
  ["no host key", remote({ connection: { host: "a" } }), "host-key-pinned"],
  ["an empty one", remote({ connection: { host: "a", hostKey: "" } }), "host-key-pinned"],
  [
    "a fingerprint for a key",
    remote({ connection: { host: "a", hostKey: "SHA256:abc" } }),
    "host-key-pinned",
  ],
  [
    "a bastion without one",
    remote({ connection: { ...connection, proxy: { host: "b" } } }),
    "host-key-pinned",
  ],
  ["a bare ssh", local({ create: "ssh -p 22 root@a true" }), "host-key-pinned"],
  [
    "a bare ssh beside a pinned one",
    local({ create: `ssh ${pinned} root@a; ssh -p 22 root@b` }),
    "host-key-pinned",
  ],
  ["a bare ssh without options", local({ create: "ssh root@box true" }), "host-key-pinned"],
  ["a bare ssh to a name", local({ create: "ssh box.example.no true" }), "host-key-pinned"],
  ["rsync", local({ create: "rsync -a ./files root@box:/srv" }), "host-key-pinned"],
  ["rsync without options", local({ create: "rsync ./files root@box:/srv" }), "host-key-pinned"],
  ["scp", local({ create: "scp file root@box:" }), "host-key-pinned"],
  ["sftp", local({ create: "sftp root@box" }), "host-key-pinned"],
  ["a bare ssh in its delete", local({ delete: "ssh -p 22 root@a true" }), "host-key-pinned"],
  [
    "an ssh that trusts anything",
    local({ create: `ssh ${pinned} -o StrictHostKeyChecking=no root@a` }),
    "host-key-pinned",
  ],
  [
    "a file that is copied unpinned",
    { ...remote({ connection: { host: "a" } }), type: "command:remote:CopyToRemote" },
    "host-key-pinned",
  ],
  [
    "a private key",
    remote({ connection: { ...connection, privateKey: "x" } }),
    "no-secret-in-inputs",
  ],
  ["a password", remote({ connection: { ...connection, password: "x" } }), "no-secret-in-inputs"],
  ["a token on stdin", remote({ stdin: "token: abcdef.0123456789abcdef" }), "no-secret-in-inputs"],
  [
    "a key in an object of the cluster",
    {
      type: "kubernetes:core/v1:Secret",
      name: "it",
      protect: false,
      inputs: { stringData: { key: "-----BEGIN PRIVATE KEY-----" } },
    },
    "no-secret-in-inputs",
  ],
  ["its output logged", remote({ logging: "stdout" }), "no-output-logged"],
  ["the default logging", remote({ logging: undefined }), "no-output-logged"],
  ["its output handed on", local({ addPreviousOutputInEnv: true }), "no-output-logged"],
  ["an environment", local({ environment: { A: "b" } }), "no-output-logged"],
  ["a delete with triggers", local({ delete: "true", triggers: ["a"] }), "delete-before-replace"],
  [
    "one whose triggers are unknown",
    local({ delete: "true", triggers: unknownText }),
    "delete-before-replace",
  ],
  [
    "etcd's disk unprotected",
    local(etcd, { name: "control-plane-1-guest" }),
    "protected-stays-protected",
  ],
  [
    "a named one unprotected",
    local({}),
    "protected-stays-protected",
    { "protected-stays-protected": { protected: ["it"] } },
  ],
  [
    "a foreign machine",
    remote({}),
    "residency",
    { residency: { allow: { NO: ["b.example.no"] } } },
  ],
  [
    "a foreign repository",
    local({ stdin: "URL='https://download.example.com/x'" }),
    "residency",
    { residency: { allow: { NO: ["*.example.no"] } } },
  ],
  [
    "a foreign time server",
    local({ stdin: "    server time.example.com iburst" }),
    "residency",
    { residency: { allow: {} } },
  ],
  [
    "a public address",
    local({ stdin: "DNS='9.9.9.9'" }),
    "residency",
    { residency: { allow: { NO: ["9.9.8.0/24"] } } },
  ],
  [
    "a public address of IPv6",
    local({ stdin: "DNS='2620:fe::9'" }),
    "residency",
    { residency: { allow: { NO: ["2001:db8::/32"] } } },
  ],
  [
    "a machine of the EEA for Norway alone",
    remote({}),
    "residency",
    { residency: { residency: "NO", allow: { EEA: ["a.example.no"] } } },
  ],
  [
    "a registry without a mirror",
    local({ stdin: "step: containerd\nfiles:\n  /etc/containerd/certs.d/quay.io/hosts.toml: |\n" }),
    "residency",
    { residency: { allow: { NO: ["quay.io"] } } },
  ],
  [
    "a foreign image",
    object("DaemonSet", { containers: [{ image: "docker.io/a/b:1" }] }),
    "residency",
    { residency: { allow: { NO: ["*.example.no"] } } },
  ],
  [
    "a foreign registry with a port",
    object("DaemonSet", { containers: [{ image: "r.example.com:5000/a/b:1" }] }),
    "residency",
    { residency: { allow: { NO: ["*.example.no"] } } },
  ],
  [
    "a foreign name that pods may call",
    object("CiliumNetworkPolicy", { egress: [{ toFQDNs: [{ matchName: "api.example.com" }] }] }),
    "residency",
    { residency: { allow: { NO: ["*.example.no"] } } },
  ],
  [
    "every name that pods may call",
    object("CiliumNetworkPolicy", { egress: [{ toFQDNs: [{ matchPattern: "*" }] }] }),
    "residency",
    { residency: { allow: { NO: ["*.example.no"] } } },
  ],
  [
    "a domain that only ends alike",
    local({ stdin: "https://evilexample.no/" }),
    "residency",
    { residency: { allow: { NO: ["*.example.no"] } } },
  ],
];

it("the program that proves every promise at its end is good", async () => {
  vi.resetModules();
  const folder = mkdtempSync(join(tmpdir(), "policy-"));
  const file = join(folder, "Pulumi.test.yaml");
  const { config } = parse(readFileSync(stackFiles.dev, "utf8"), { version: "1.1" });
  writeFileSync(
    file,
    JSON.stringify({ config: { ...config, "oslo-cluster:verify": { afterUp: true } } }),
  );
  const { resources } = await runProgram(file);
  rmSync(folder, { recursive: true });
  const promises = resources.filter(({ name }) => name === "promises");
  expect(promises).toHaveLength(1);
  expect(await violationsOf(promises)).toEqual([]);
});

describe("a bad program", () => {
  it.each(bad)("%s is found", async (_, resource, policy, config = {}) => {
    const found = await violationsOf([resource], config);
    expect(found.length).toBeGreaterThan(0);
    for (const line of found)
      expect(line).toMatch(new RegExp(`^${policy}: ${resource.name}: .{20,}`));
  });

  it("is found by every policy of the pack", () => {
    const covered = new Set(bad.map(([, , policy]) => policy));
    expect([...covered].sort()).toEqual(policies.map(({ name }) => name).sort());
  });
});

const good: [what: string, resource: Judged, config?: Record<string, object>][] = [
  ["pinned", remote({})],
  ["pinned by ssh", local({ create: `ssh ${pinned} root@a true` })],
  ["a delete alone", local({ delete: "true" })],
  ["triggers alone", local({ triggers: ["a"] })],
  [
    "triggers and a delete that comes first",
    local({ delete: "true", triggers: ["a"] }, { deleteBeforeReplace: true }),
  ],
  [
    "what only deletes and tells of it",
    local({ create: ":", delete: "true", logging: "stdoutAndStderr" }),
  ],
  ["etcd's disk protected", local(etcd, { name: "control-plane-1-guest", protect: true })],
  ["a guest without etcd", local({ stdin: "ETCD_DISK='0'\n" }, { name: "worker-1-guest" })],
  [
    "etcd's disk released for its end",
    local(etcd, { name: "control-plane-1-guest" }),
    { "protected-stays-protected": { released: ["control-plane-1-guest"] } },
  ],
  [
    "Norway's machine for the EEA",
    remote({}),
    { residency: { residency: "EEA", allow: { NO: ["a.example.no"] } } },
  ],
  [
    "a private address",
    local({ stdin: "10.0.0.1 fd00::1 192.168.1.1 ::1 127.0.0.1" }),
    { residency: { allow: {} } },
  ],
  [
    "an image that containerd's document answers for",
    object("DaemonSet", { containers: [{ image: "registry.k8s.io/pause:3.10.2" }] }),
    { residency: { allow: {} } },
  ],
  [
    "an image's tag in a chart's values",
    local({ values: { image: { tag: "v1.20.2", repository: "mirror.example.no/a" } } }),
    { residency: { allow: { NO: ["mirror.example.no"] } } },
  ],
  [
    "a pattern within what is allowed",
    object("CiliumNetworkPolicy", { egress: [{ toFQDNs: [{ matchPattern: "*.a.example.no" }] }] }),
    { residency: { allow: { NO: ["*.example.no"] } } },
  ],
  [
    "names that pods may ask for, and do not call",
    object("CiliumNetworkPolicy", { rules: { dns: [{ matchName: "api.example.com" }] } }),
    { residency: { allow: {} } },
  ],
  [
    "a source in a comment",
    local({ stdin: "# Source: https://example.com/doc" }),
    { residency: { allow: {} } },
  ],
  [
    "a MAC address and a time",
    local({ stdin: "52:54:00:12:34:56 12:00:00" }),
    { residency: { allow: {} } },
  ],
];

describe("a good program", () => {
  it.each(good)("%s: nothing is found", async (_, resource, config = {}) => {
    expect(await violationsOf([resource], config)).toEqual([]);
  });

  it("whose host key is not known yet is looked at again by `up`, and the preview says so", async () => {
    const guest = remote({ connection: { host: "a.example.no", hostKey: unknownText } });
    // The SDK's server makes an advisory of it: "can't run policy … during preview".
    await expect(violationsOf([guest])).rejects.toThrow(UnknownValueError);
  });
});
