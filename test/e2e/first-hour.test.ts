import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadStackFile } from "../../config/load.ts";
import { makePulumi } from "../lab/artifacts/pulumi.ts";
import { pluginEnvironment } from "../lab/engine.ts";
import { blocksOf, commandsOf, pageText } from "../pages.ts";
import { root } from "../root.ts";
import { openTerminal, replacedEverywhere, type Terminal, unusedOf } from "./terminal.ts";

// docs/getting-started.md, word for word, up to the preview: Pulumi's engine with the lab's plugins,
// and three machines that OpenSSH's programs only seem to reach.

const blocks = blocksOf(pageText("docs/getting-started.md"));
const machines = ["203.0.113.11", "203.0.113.12", "203.0.113.13"];
const home = mkdtempSync(join(tmpdir(), "first-hour-"));
afterAll(() => rmSync(home, { recursive: true }));
const folder = join(home, "checkout");
const bin = join(home, "bin");

const replaced = replacedEverywhere(join(home, "state"));

let terminal: Terminal;
let fingerprints = "";
const printed = new Map<string, string>();

beforeAll(async () => {
  // The checkout, but for what a person writes there.
  mkdirSync(folder);
  for (const name of readdirSync(root))
    if (!/^Pulumi\./.test(name)) symlinkSync(join(root, name), join(folder, name));
  copyFileSync(join(root, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
  mkdirSync(join(home, "state"));
  mkdirSync(join(home, ".ssh"), { mode: 0o700 });
  const keygen = ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"];
  await execa("ssh-keygen", [...keygen, join(home, ".ssh/id_ed25519")]);

  const [console] = blocks.filter(({ info }) => info === "sh console").flatMap(commandsOf);
  for (const [i, machine] of machines.entries()) {
    const key = join(home, machine);
    await execa("ssh-keygen", [...keygen, key]);
    const command = (console ?? "").replace("/etc/ssh/ssh_host_ed25519_key", key);
    fingerprints += `${(await execa("sh", ["-c", command])).stdout}\n`;
    const link = (ifname: string, local: string) => ({
      ifname,
      addr_info: [{ local, prefixlen: 24, scope: "global" }],
    });
    const links = JSON.stringify([link("eth0", machine), link("eth1", `10.10.0.${i + 11}`)]);
    writeFileSync(`${key}.facts`, `Debian GNU/Linux 13\n6.12.1\n4\n7900\n${links}\n`);
  }
  mkdirSync(bin);
  const tool = (name: string, script: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  tool(
    "ssh-keyscan",
    `for host in "$@"; do :; done\necho "$host $(cut -d " " -f 1,2 ${home}/"$host.pub")"`,
  );
  tool(
    "ssh",
    `for word in "$@"; do case $word in *@*) host=\${word#*@} ;; esac; done\ncat ${home}/"$host.facts"`,
  );

  const command = await makePulumi();
  const plugins = pluginEnvironment({ command, plugins: "own" }, join(home, "pulumi"));
  const path = [bin, dirname(command), plugins.PATH, process.env.PATH];
  const env = { ...plugins, HOME: home, PATH: path.join(delimiter) };
  terminal = openTerminal({ folder, env, replaced });
}, 30 * 60_000);

afterAll(() => terminal?.close());

describe("docs/getting-started.md", { timeout: 1_800_000 }, () => {
  const commands = blocks.filter(({ info }) => info === "sh").flatMap(commandsOf);
  const local = commands.slice(0, commands.indexOf("pulumi up"));

  it("has what is put in other words here", () => {
    expect(unusedOf(replaced, commands)).toEqual([]);
    expect(local.length).toBeGreaterThan(14);
    expect(local.at(-1)).toBe("pulumi preview");
  });

  it("leads to a preview, word for word", async () => {
    for (const command of local) {
      // The answers: fingerprints from the consoles, then Enter.
      const input = command.startsWith("npm run init") ? `${fingerprints}\n` : "";
      printed.set(command, await terminal.type(command, input));
    }
    expect(printed.get("ssh-add -l")).toContain("ED25519");
    expect(printed.get("pulumi preview")).toMatch(/\+ \d\d+ to create/);
  });

  it("gives a stack's file whose endpoint the operator reaches, and whose salt Pulumi added", () => {
    const file = join(folder, "Pulumi.oslo.yaml");
    const { cluster, network, nodes } = loadStackFile(file);
    expect(cluster.endpoint.host).toBe("203.0.113.11");
    expect(network.vlan.interface).toBe("eth1");
    expect(nodes.map(({ name }) => name)).toEqual(["cp-1", "worker-1", "worker-2"]);
    expect(readFileSync(file, "utf8")).toMatch(/^encryptionsalt: v1:/m);
    expect(readFileSync(file, "utf8")).toMatch(/^# yaml-language-server: /);
  });
});
