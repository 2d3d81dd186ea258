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
import { pulumiOnPath } from "../../commands/engine/cli.ts";
import { loadStackFile } from "../../config/load.ts";
import { makePulumi } from "../lab/artifacts/pulumi.ts";
import { pluginEnvironment } from "../lab/engine.ts";
import { Progress } from "../lab/progress.ts";
import { blocksOf, commandsOf, pageText } from "../pages.ts";
import { root } from "../root.ts";

// docs/getting-started.md, word for word, up to the preview: Pulumi's engine with the lab's plugins,
// and three machines that OpenSSH's programs only seem to reach.

const blocks = blocksOf(pageText("docs/getting-started.md"));
const machines = ["203.0.113.11", "203.0.113.12", "203.0.113.13"];
const home = mkdtempSync(join(tmpdir(), "first-hour-"));
afterAll(() => rmSync(home, { recursive: true }));
const folder = join(home, "checkout");
const bin = join(home, "bin");

/** What the page writes, and what is put in its place: done already, or where this test keeps its things. */
const replaced: readonly (readonly [page: string | RegExp, here: string])[] = [
  // It takes the home folder of the user's entry.
  [/^ssh-add$/m, "ssh-add ~/.ssh/id_ed25519"],
  ["npm ci", ":"],
  ['curl -fsSL https://get.pulumi.com | sh -s -- --version "$(cat .pulumi.version)"', ":"],
  ["pulumi login --local", `pulumi login file://${join(home, "state")}`],
  ["/tmp/oslo-plan", "~/oslo-plan"],
];

let env: Record<string, string>;
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

  const command = pulumiOnPath() ?? (await makePulumi(new Progress()));
  const plugins = pluginEnvironment({ command, plugins: "own" }, join(home, "pulumi"));
  const path = [bin, dirname(command), plugins.PATH, process.env.PATH];
  env = { ...plugins, HOME: home, PATH: path.join(delimiter), NO_COLOR: "1" };
}, 30 * 60_000);

afterAll(async () => {
  await type("ssh-agent -k >&2", "");
});

/** Types a command into a shell that lasts from one to the next. */
async function type(command: string, input: string) {
  const variables = join(home, "variables");
  const script = `set -euo pipefail
[ ! -f ${variables} ] || . ${variables}
trap 'export -p >${variables}' EXIT
eval "$1"`;
  const options = { cwd: folder, env, input, all: true, reject: false } as const;
  const { exitCode, all } = await execa("bash", ["-c", script, "bash", command], options);
  if (exitCode !== 0) throw new Error(`${command}: exit code ${exitCode}\n${all}`);
  return all ?? "";
}

describe("docs/getting-started.md", { timeout: 600_000 }, () => {
  const commands = blocks.filter(({ info }) => info === "sh").flatMap(commandsOf);
  const local = commands.slice(0, commands.indexOf("pulumi up"));

  it("has what is put in other words here", () => {
    for (const [page] of replaced) {
      const found = commands.some((one) =>
        typeof page === "string" ? one.includes(page) : page.test(one),
      );
      expect([page, found]).toEqual([page, true]);
    }
    expect(local.length).toBeGreaterThan(14);
    expect(local.at(-1)).toBe("pulumi preview");
  });

  it("leads to a preview, word for word", async () => {
    for (const command of local) {
      const own = replaced.reduce((text, [page, here]) => text.replace(page, here), command);
      // The answers: fingerprints from the consoles, then Enter.
      const input = command.startsWith("npm run init") ? `${fingerprints}\n` : "";
      printed.set(command, await type(own, input));
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
