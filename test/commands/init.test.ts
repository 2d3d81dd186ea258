import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { fingerprint, readDestination } from "../../commands/init/machine.ts";
import { loadStackFile } from "../../config/load.ts";
import { root } from "../root.ts";
import { runCommandIn } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "init-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Machines as OpenSSH's programs show them: each has a real key of its own. */
const machines = ["m1.example.no", "m2.example.no", "m3.example.no"];
const keys = new Map<string, string>();
const bin = join(folder, "bin");
mkdirSync(bin);
for (const [i, name] of machines.entries()) {
  const file = join(folder, name);
  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]);
  const key = readFileSync(`${file}.pub`, "utf8").trim();
  keys.set(name, key);
  writeFileSync(`${file}.pub`, `${key}\n`);
  const link = (ifname: string, local: string, prefixlen: number) => ({
    ifname,
    addr_info: [{ local, prefixlen, scope: "global" }],
  });
  const links = [
    { ifname: "lo", addr_info: [{ local: "127.0.0.1", prefixlen: 8, scope: "host" }] },
    link("eth0", `203.0.113.${i + 1}`, 24),
    link("eth1", `10.10.0.${i + 11}`, 24),
  ];
  // The third one would write over what is said of the others.
  const system = `Debian GNU/Linux 13${i === 2 ? "\u001b[2A\u001b[2K" : ""}`;
  const facts = [system, "6.12.1", "4", "7900", JSON.stringify(links)];
  writeFileSync(`${file}.facts`, `${facts.join("\n")}\n`);
}
writeFileSync(
  join(bin, "ssh-keyscan"),
  `#!/bin/sh\nfor host in "$@"; do :; done\n[ -f '${folder}'/"$host.pub" ] && echo "$host $(cat '${folder}'/"$host.pub")"\n`,
  { mode: 0o755 },
);
// Answers only where the key of the stack's machine is pinned.
writeFileSync(
  join(bin, "ssh"),
  `#!/bin/sh\nfor word in "$@"; do case $word in *@*) host=\${word#*@} ;; esac; done
case "$*" in *"$(cat '${folder}'/"$host.pub")"*) cat '${folder}'/"$host.facts" ;; *) exit 255 ;; esac\n`,
  { mode: 0o755 },
);

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(folder, "place-"));
});

function init(input: readonly string[], ...args: string[]) {
  const env = { PATH: [bin, process.env.PATH].join(delimiter) };
  const lines = input.map((line) => `${line}\n`).join("");
  return runCommandIn({ cwd: place, env, input: lines }, "init", ...args);
}

const consoles = () => machines.map((name) => fingerprint(keys.get(name) as string));

describe("init", () => {
  it("writes a stack's file that check takes, from what machines say", async () => {
    const { exitCode, stderr } = await init([...consoles(), ""], "oslo", ...machines);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stderr).not.toContain("\u001b");
    expect(stderr).toContain("m2.example.no: Debian GNU/Linux 13, Linux 6.12.1, 4 CPUs, 7900 MiB");
    const { cluster, network, nodes } = loadStackFile(join(place, "Pulumi.oslo.yaml"));
    expect(cluster).toMatchObject({ name: "oslo", endpoint: { host: "m1.example.no" } });
    expect(network.vlan).toMatchObject({ interface: "eth1", subnets: ["10.10.0.0/24"] });
    expect(
      nodes.map(({ name, role, addresses, ssh }) => [name, role, addresses, ssh.hostKey]),
    ).toEqual([
      ["cp-1", "control-plane", ["10.10.0.11"], keys.get("m1.example.no")],
      ["worker-1", "worker", ["10.10.0.12"], keys.get("m2.example.no")],
      ["worker-2", "worker", ["10.10.0.13"], keys.get("m3.example.no")],
    ]);
  });

  it("names the schema for editors, and says what makes the folder a project", async () => {
    const { stdout } = await init([...consoles(), ""], "oslo", ...machines);
    const [first = ""] = readFileSync(join(place, "Pulumi.oslo.yaml"), "utf8").split("\n");
    const [, schema = ""] = first.match(/^# yaml-language-server: \$schema=(\S+)$/) ?? [];
    expect(resolve(place, schema)).toBe(join(root, "config/stack-file.schema.json"));
    // The program is elsewhere, where Pulumi takes none from.
    expect(existsSync(join(place, "Pulumi.yaml"))).toBe(false);
    expect(stdout).toContain(
      "Pulumi.yaml: none here, and the program is not below this folder: work in the checkout",
    );
  });

  it("leaves a project as it is", async () => {
    writeFileSync(join(place, "Pulumi.yaml"), "mine");
    expect(await init([...consoles(), ""], "oslo", ...machines)).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(place, "Pulumi.yaml"), "utf8")).toBe("mine");
  });

  it("takes the line of ssh-keygen -l as it is", async () => {
    const [first = "", ...others] = consoles();
    const lines = [`256 ${first} root@m1 (ED25519)`, ...others, "api.example.no"];
    expect(await init(lines, "oslo", ...machines)).toMatchObject({ exitCode: 0 });
    const { cluster } = loadStackFile(join(place, "Pulumi.oslo.yaml"));
    expect(cluster.endpoint.host).toBe("api.example.no");
  });

  it.each<[string, () => string[], string[], number, RegExp]>([
    [
      "another key than the console's",
      () => [...consoles()].reverse(),
      ["oslo", ...machines],
      1,
      /m1\.example\.no: what answers has another key .*Nothing was written/,
    ],
    [
      "yes in the place of a fingerprint",
      () => ["yes"],
      ["oslo", ...machines],
      1,
      /m1\.example\.no: no fingerprint/,
    ],
    [
      "an input that ends",
      () => consoles().slice(0, 1),
      ["oslo", ...machines],
      1,
      /the input has ended; nothing was written/,
    ],
    [
      "a machine that does not answer",
      () => [],
      ["oslo", "m9.example.no"],
      1,
      /^m9\.example\.no: no ed25519 host key on port 22/m,
    ],
    [
      "more control planes than machines",
      () => [],
      ["oslo", "m1.example.no", "--control-planes", "3"],
      2,
      /^--control-planes: 3: write 1, 3 or 5, and name at least so many machines \(1 so far\)/,
    ],
    [
      "a name that is none",
      () => [...consoles(), ""],
      ["oslo", ...machines, "--name", "Oslo!"],
      2,
      /^--name: Oslo!: not a DNS-1123 label; /,
    ],
    [
      "all that is wrong with what was typed, at once",
      () => [],
      [
        ...["a b", "root@", "m1:70000", "--control-planes", "2"],
        ...["--region", "Oslo", "--residency", "FR", "--name", "UP"],
      ],
      2,
      /^a b: not a stack's name; .*\n--name: UP: .*\n--region: Oslo: .*\n--residency: FR: .*\n--control-planes: 2: .*\nroot@: not a destination; .*\nm1:70000: not a TCP port; /,
    ],
    [
      "every machine that does not answer",
      () => [],
      ["oslo", "m8.example.no", "m1.example.no", "m9.example.no"],
      1,
      /^m8\.example\.no: no ed25519 host key on port 22.*\nm9\.example\.no: no ed25519/m,
    ],
  ])("%s: nothing is written", async (_, input, args, code, message) => {
    const { exitCode, stderr } = await init(input(), ...args);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(code);
    expect(existsSync(join(place, "Pulumi.oslo.yaml"))).toBe(false);
  });

  it("overwrites no file", async () => {
    writeFileSync(join(place, "Pulumi.oslo.yaml"), "mine");
    const { exitCode, stderr } = await init([], "oslo", ...machines);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: "Pulumi.oslo.yaml: is there already; name another stack, or move the file away",
    });
    expect(readFileSync(join(place, "Pulumi.oslo.yaml"), "utf8")).toBe("mine");
  });
});

it("a fingerprint is ssh-keygen's", async () => {
  const [name = ""] = machines;
  const { stdout } = await execa("ssh-keygen", ["-lf", join(folder, `${name}.pub`)]);
  expect(stdout).toContain(` ${fingerprint(keys.get(name) as string)} `);
});

it.each([
  ["vps.example.no", { user: "root", host: "vps.example.no", port: 22 }],
  ["debian@192.0.2.1:2222", { user: "debian", host: "192.0.2.1", port: 2222 }],
  ["[2001:db8::1]:22", { user: "root", host: "2001:db8::1", port: 22 }],
])("a destination: %s", (text, expected) => {
  expect(readDestination(text)).toEqual(expected);
});

it.each(["m1:0", "m1:65536"])("not a port: %s", (text) => {
  expect(() => readDestination(text)).toThrow(/not a TCP port; write one from 1 to 65535/);
});

it.each(["", "-oProxyCommand=x", "a b", "me@-x"])("not a destination: %j", (text) => {
  expect(() => readDestination(text)).toThrow(/not a destination; write/);
});
