import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { stackFilesIn } from "../../commands/ephemeral/stack-files.ts";
import { deleteOverSsh } from "../../steps/ssh/command.ts";
import { machineReach } from "../../steps/ssh/target.ts";
import { root } from "../root.ts";
import { runCommand, runCommandIn } from "./run.ts";

const place = mkdtempSync(join(tmpdir(), "ephemeral-"));
afterAll(() => rmSync(place, { recursive: true }));

describe.concurrent("arguments", () => {
  it.each<[string[], RegExp]>([
    [[], /^Usage: oslo-cluster ephemeral /],
    [["grow"], /^error: unknown command 'grow'/],
    [["up", "a", "--ttl", "4h"], /^error: required option '--from/],
    [["down"], /^error: missing required argument 'name'/],
    [["down", "a", "b"], /^error: too many arguments/],
    [["list", "a"], /^error: too many arguments/],
    [["reap", "--force"], /^error: unknown option '--force'/],
  ])("%j: exit 2, and why", async (args, message) => {
    const { exitCode, stdout, stderr } = await runCommand("ephemeral", ...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });

  it.each([
    [
      ["up", "a", "--ttl", "soon", "--from", "Pulumi.articles.yaml"],
      /^--ttl: soon: not a length of time; /,
    ],
    [["up", "a", "--ttl", "4h", "--from", "none.yaml"], /^none\.yaml: no such stack/],
    [
      ["up", "A", "--ttl", "soon", "--from", "none", "--limit", "1s"],
      /^A: not a name .*\n--ttl: soon: .*\nnone: no such stack .*\n--limit: 1s: not a length/,
    ],
    [["down", "a", "--limit", "0m"], /^--limit: 0m: shorter than a minute; /],
  ])("%j: exit 1, why, and no stack trace", async (args, message) => {
    const { exitCode, stderr } = await runCommand("ephemeral", ...args);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain("    at ");
  });
});

describe("a stack's file", () => {
  it("is read by Pulumi, in YAML 1.1, as it was meant, and keeps what Pulumi put there", () => {
    writeFileSync(join(place, "Pulumi.ephemeral-a.yaml"), "encryptionsalt: v1:x\nconfig: {}\n");
    stackFilesIn(place).write("ephemeral-a", { cluster: { residency: "NO" } });
    const text = readFileSync(join(place, "Pulumi.ephemeral-a.yaml"), "utf8");
    expect(parse(text, { version: "1.1" })).toEqual({
      encryptionsalt: "v1:x",
      config: { "oslo-cluster:cluster": { residency: "NO" } },
    });
  });
});

describe.concurrent("with a CLI that has one stack, of which a machine is left", () => {
  const reach = { host: "vps-1", port: 22, user: "root", hostKey: "ssh-ed25519 AAAA" };
  const dial = { timeoutSeconds: 1, attempts: 1 };
  const remove = deleteOverSsh(machineReach({ dial }, { name: "vps-1", reach }), "true", {
    kind: "node",
  });

  /** The command with a CLI and a state directory of its own. */
  async function ephemeral(name: string, expires: string, ...args: string[]) {
    const own = join(place, name);
    mkdirSync(join(own, "bin"), { recursive: true });
    const resources = [{ urn: "a::vps-1-release", inputs: { delete: remove } }];
    const tags = { "oslo-cluster:expires": expires, "oslo-cluster:owner": "kari" };
    writeFileSync(join(own, "state"), JSON.stringify({ version: 3, deployment: { resources } }));
    writeFileSync(join(own, "tags"), JSON.stringify(expires === "" ? {} : tags));
    const cli = `#!/usr/bin/env bash
cd '${own}' || exit 1
case "$1 \${2:-} \${3:-}" in
'version '*) echo v3.260.0 ;;
'stack ls '*) echo '[{"name":"production"},{"name":"ephemeral-a"}]' ;;
'stack tag ls') cat tags ;;
'stack export '*) cat state ;;
'destroy '*) : >destroyed; echo 'error: vps-1 does not answer' >&2; exit 1 ;;
esac
`;
    writeFileSync(join(own, "bin/pulumi"), cli);
    chmodSync(join(own, "bin/pulumi"), 0o755);
    const env = {
      ...{ PATH: [join(own, "bin"), process.env.PATH].join(delimiter), XDG_STATE_HOME: own },
      ...{ PULUMI_BACKEND_URL: "", PULUMI_ACCESS_TOKEN: "", CI: undefined },
    };
    const ran = await runCommandIn({ cwd: root, env }, "ephemeral", ...args);
    return { ...ran, destroyed: existsSync(join(own, "destroyed")) };
  }
  const report =
    "a: 1 thing is left\n  vps-1: Kubernetes, its data and packages, /var/lib/oslo-cluster\n    the next run removes it: npm run";
  const past = "2026-01-01T12:00:00.000Z";
  const future = "2999-01-01T12:00:00.000Z";

  it("list shows it: exit 0", async () => {
    const { exitCode, stdout } = await ephemeral("list", past, "list");
    expect({ exitCode, stdout: stdout.trim() }).toEqual({
      exitCode: 0,
      stdout: `a  expired  kari  expires ${past}`,
    });
  });

  it("down ends with the report: exit 3", async () => {
    const { exitCode, stdout, destroyed } = await ephemeral("down", future, "down", "a");
    expect({ exitCode, destroyed }).toEqual({ exitCode: 3, destroyed: true });
    expect(stdout).toMatch(new RegExp(`^${report}`));
  });

  it("reap tells the same of what has expired: exit 3", async () => {
    const { exitCode, stdout } = await ephemeral("reap", past, "reap");
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(new RegExp(`^${report}`));
  });

  it.each([
    ["what lives", "living", future, "a: not expired"],
    ["what has no expiry", "none", "", "a: no expiry: not touched"],
  ])("reap does nothing to %s: exit 0", async (_, name, expires, said) => {
    const { exitCode, stdout, destroyed } = await ephemeral(name, expires, "reap");
    expect({ exitCode, stdout, destroyed }).toEqual({
      exitCode: 0,
      stdout: said,
      destroyed: false,
    });
  });

  it("down of what is not there is done: exit 0", async () => {
    const { exitCode, stdout } = await ephemeral("other", future, "down", "other");
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "other: gone; nothing is left" });
  });
});
