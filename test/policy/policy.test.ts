import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UnknownValueError } from "@pulumi/policy";
import { beforeAll, describe, expect, it } from "vitest";
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
    resources = (await runProgram(stackFiles[stack])).resources;
  });

  it("is good: nothing is found", async () => {
    expect(resources.length).toBeGreaterThan(30);
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
    const allowed = await violationsOf(resources, { cluster: { allowedPlaces: [...used] } });
    expect(allowed).toEqual([]);
    const [first = "", ...others] = used;
    const refused = await violationsOf(resources, { cluster: { allowedPlaces: others } });
    expect(refused).not.toEqual([]);
    for (const line of refused) expect(line).toMatch(`${first} is not in cluster.allowedPlaces`);
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
const policy = (egress: object) => object("CiliumNetworkPolicy", { egress: [egress] });
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
  ["a foreign machine", remote({}), "residency", { cluster: { allowedPlaces: ["b.example.no"] } }],
  [
    "a foreign repository",
    local({ stdin: "URL='https://download.example.com/x'" }),
    "residency",
    { cluster: { allowedPlaces: ["*.example.no"] } },
  ],
  [
    "a foreign time server",
    local({ stdin: "    server time.example.com iburst" }),
    "residency",
    { cluster: { allowedPlaces: [] } },
  ],
  [
    "a public address",
    local({ stdin: "DNS='9.9.9.9'" }),
    "residency",
    { cluster: { allowedPlaces: ["9.9.8.0/24"] } },
  ],
  [
    "a public address of IPv6",
    local({ stdin: "DNS='2620:fe::9'" }),
    "residency",
    { cluster: { allowedPlaces: ["2001:db8::/32"] } },
  ],
  [
    "a registry without a mirror",
    local({ stdin: "step: containerd\nfiles:\n  /etc/containerd/certs.d/quay.io/hosts.toml: |\n" }),
    "residency",
    { cluster: { allowedPlaces: ["quay.io"] } },
  ],
  [
    "a foreign image",
    object("DaemonSet", { containers: [{ image: "docker.io/a/b:1" }] }),
    "residency",
    { cluster: { allowedPlaces: ["*.example.no"] } },
  ],
  [
    "a foreign registry with a port",
    object("DaemonSet", { containers: [{ image: "r.example.com:5000/a/b:1" }] }),
    "residency",
    { cluster: { allowedPlaces: ["*.example.no"] } },
  ],
  [
    "a foreign name that pods may call",
    object("CiliumNetworkPolicy", { egress: [{ toFQDNs: [{ matchName: "api.example.com" }] }] }),
    "residency",
    { cluster: { allowedPlaces: ["*.example.no"] } },
  ],
  [
    "every name that pods may call",
    object("CiliumNetworkPolicy", { egress: [{ toFQDNs: [{ matchPattern: "*" }] }] }),
    "residency",
    { cluster: { allowedPlaces: ["*.example.no"] } },
  ],
  ...(
    [
      ["every address by its CIDR", policy({ toCIDR: ["0.0.0.0/0"] })],
      ["every address of IPv6", policy({ toCIDRSet: [{ cidr: "::/0" }] })],
      ["the world", policy({ toEntities: ["world"] })],
      ["every entity", policy({ toEntities: ["all"] })],
      ["ports of every address", policy({ toPorts: [{ ports: [{ port: "443" }] }] })],
      ["a wide CIDR whose base is allowed", policy({ toCIDR: ["192.0.2.0/23"] })],
      ["a wide CIDR whose base is private", policy({ toCIDR: ["10.0.0.0/7"] })],
      ["a name with a last dot", local({ stdin: "https://evil.example.com./x" })],
      [
        "a name in capitals, with a user before it",
        local({ stdin: "https://a.example.no@EVIL.example.com/" }),
      ],
      ["an address as one number", local({ stdin: "https://134744072/" })],
      ["an address in hexadecimal", local({ stdin: "https://0x08080808/" })],
      ["an address written as one of IPv6", local({ stdin: "DNS='::ffff:8.8.8.8'" })],
      ["the same in a URL", local({ stdin: "https://[::ffff:808:808]/" })],
      ["an escaped name", local({ stdin: "https://ev%69l.example.com/" })],
      ["an image without a registry", object("DaemonSet", { containers: [{ image: "nginx:1" }] })],
      ["an image of Docker's with a user", object("DaemonSet", { containers: [{ image: "a/b" }] })],
    ] as [string, Judged][]
  ).map(([what, resource]): [string, Judged, string, Record<string, object>] => [
    what,
    resource,
    "residency",
    { cluster: { residency: "NO", allowedPlaces: ["*.example.no", "192.0.2.0/24"] } },
  ]),
  [
    "a domain that only ends alike",
    local({ stdin: "https://evilexample.no/" }),
    "residency",
    { cluster: { allowedPlaces: ["*.example.no"] } },
  ],
];

it("the program that proves every promise at its end is good", async () => {
  const folder = mkdtempSync(join(tmpdir(), "policy-"));
  const file = join(folder, "Pulumi.test.yaml");
  const { config } = parse(readFileSync(stackFiles.articles, "utf8"), { version: "1.1" });
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
  ...(
    [
      ["the same name in capitals, with a last dot", local({ stdin: "https://A.Example.NO./" })],
      ["an allowed address as one number", local({ stdin: "https://3221225985/" })],
      ["an allowed address written as one of IPv6", local({ stdin: "DNS='::ffff:192.0.2.1'" })],
      ["a CIDR within an allowed one", policy({ toCIDR: ["192.0.2.128/25"] })],
      ["a private CIDR", policy({ toCIDR: ["10.0.0.0/8"] })],
      ["entities of the cluster", policy({ toEntities: ["cluster", "kube-apiserver"] })],
      ["a rule that lets nothing through", policy({})],
    ] as [string, Judged][]
  ).map(([what, resource]): [string, Judged, Record<string, object>] => [
    what,
    resource,
    { cluster: { residency: "NO", allowedPlaces: ["*.example.no", "192.0.2.0/24"] } },
  ]),
  [
    "a private address",
    local({ stdin: "10.0.0.1 fd00::1 192.168.1.1 ::1 127.0.0.1" }),
    { cluster: { allowedPlaces: [] } },
  ],
  [
    "an image that containerd's document answers for",
    object("DaemonSet", { containers: [{ image: "registry.k8s.io/pause:3.10.2" }] }),
    { cluster: { allowedPlaces: [] } },
  ],
  [
    "an image's tag in a chart's values",
    local({ values: { image: { tag: "v1.20.2", repository: "mirror.example.no/a" } } }),
    { cluster: { allowedPlaces: ["mirror.example.no"] } },
  ],
  [
    "a pattern within what is allowed",
    object("CiliumNetworkPolicy", { egress: [{ toFQDNs: [{ matchPattern: "*.a.example.no" }] }] }),
    { cluster: { allowedPlaces: ["*.example.no"] } },
  ],
  [
    "names that pods may ask for, and do not call",
    object("CiliumNetworkPolicy", { rules: { dns: [{ matchName: "api.example.com" }] } }),
    { cluster: { allowedPlaces: [] } },
  ],
  [
    "a source in a comment",
    local({ stdin: "# Source: https://example.com/doc" }),
    { cluster: { allowedPlaces: [] } },
  ],
  [
    "a MAC address and a time",
    local({ stdin: "52:54:00:12:34:56 12:00:00" }),
    { cluster: { allowedPlaces: [] } },
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
