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
import { afterAll, beforeEach, expect, it } from "vitest";
import { pulumiBackend } from "../../../commands/ephemeral/pulumi.ts";
import { root } from "../../root.ts";

const place = mkdtempSync(join(tmpdir(), "pulumi-"));
const log = join(place, "log");
const kept = { ...process.env };

/** A CLI without an engine: it writes down what it is asked, and keeps tags. */
const cli = `#!/usr/bin/env bash
cd '${place}' || exit 1
echo "$*;;$PULUMI_BACKEND_URL;;\${PULUMI_CONFIG_PASSPHRASE_FILE:-};;\${OSLO_CLUSTER_ABANDON:-}" >>log
case "$1 \${2:-} \${3:-}" in
'stack ls '*) echo '[{"name":"ephemeral-a","current":false},{"name":"org/ephemeral-b","current":false}]' ;;
'stack tag set') echo "\${@:4:2}" >>tags ;;
'stack tag ls') jq --raw-input --slurp 'split("\\n") | map(select(. != "") | capture("^(?<key>[^ ]+) (?<value>.*)$")) | from_entries' tags ;;
'stack export '*) echo '{"version":3,"deployment":{"resources":[{"urn":"a::b"}]}}' ;;
'stack output '*) [[ $* == *--show-secrets* ]] && echo '{"kubeconfig":"secret"}' || echo '{"kubeconfig":"[secret]"}' ;;
'up '*) : >"$(sed 's/.*--event-log \\([^ ]*\\).*/\\1/' <<<"$*")" ;;
'cancel '*) echo 'error: nothing to cancel' >&2; exit 1 ;;
'destroy '*) : >"$(sed 's/.*--event-log \\([^ ]*\\).*/\\1/' <<<"$*")"; echo 'left: a machine'; [[ ! -e fail ]] || { echo 'error: 1 resource failed' >&2; exit 1; } ;;
esac
`;

beforeEach(() => {
  for (const name of ["log", "tags", "fail"]) rmSync(join(place, name), { force: true });
  mkdirSync(join(place, "bin"), { recursive: true });
  writeFileSync(join(place, "bin/pulumi"), cli);
  chmodSync(join(place, "bin/pulumi"), 0o755);
  for (const name of Object.keys(process.env))
    if (/^(PULUMI_|CI$)/.test(name)) delete process.env[name];
  process.env.PATH = [join(place, "bin"), kept.PATH].join(delimiter);
  process.env.XDG_STATE_HOME = join(place, "home");
});
afterAll(() => {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, kept);
  rmSync(place, { recursive: true });
});

const asked = () =>
  readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(";;"));
const run = (output: string[] = []) => ({
  seconds: 60,
  onOutput: (text: string) => void output.push(text),
});

it("a backend of this machine's own has a directory and a passphrase that nobody else reads", async () => {
  const backend = pulumiBackend();
  const home = join(place, "home/oslo-cluster/ephemeral");
  expect(backend.url).toBe(`file://${home}/state?metadata=skip`);
  await backend.stacks();
  const passphrase = join(home, "passphrase");
  expect(asked().at(-1)).toEqual([
    `stack ls --json --non-interactive --cwd ${join(root, ".")}`,
    backend.url,
    passphrase,
    "",
  ]);
  const first = readFileSync(passphrase, "utf8");
  expect(first.length).toBeGreaterThan(20);
  pulumiBackend();
  expect(readFileSync(passphrase, "utf8")).toBe(first);
});

it("one that is named is taken with its own passphrase, and in CI there is no other", async () => {
  process.env.PULUMI_BACKEND_URL = "s3://x";
  const backend = pulumiBackend();
  await backend.stacks();
  expect(asked().at(-1)).toEqual([
    `stack ls --json --non-interactive --cwd ${join(root, ".")}`,
    ...["s3://x", "", ""],
  ]);
  delete process.env.PULUMI_BACKEND_URL;
  process.env.CI = "true";
  expect(() => pulumiBackend()).toThrow(/^PULUMI_BACKEND_URL: not set: in CI /);
});

it("stacks, tags, state and outputs are read as the CLI prints them", async () => {
  const backend = pulumiBackend();
  expect(await backend.stacks()).toEqual(["ephemeral-a", "ephemeral-b"]);
  await backend.create("ephemeral-a");
  await backend.setTag("ephemeral-a", "oslo-cluster:claims", "vlan:301 net:10.31.0.0/24");
  await backend.setTag("ephemeral-a", "oslo-cluster:expires", "2026-01-01T12:00:00.000Z");
  expect(await backend.tags("ephemeral-a")).toEqual({
    "oslo-cluster:claims": "vlan:301 net:10.31.0.0/24",
    "oslo-cluster:expires": "2026-01-01T12:00:00.000Z",
  });
  expect(await backend.state("ephemeral-a")).toEqual({ resources: [{ urn: "a::b" }] });
  expect(await backend.outputs("ephemeral-a")).toEqual({ kubeconfig: "secret" });
  await backend.unlock("ephemeral-a"); // there is nothing to break
  await backend.remove("ephemeral-a");
  const commands = asked().map(([line = ""]) => line);
  expect(commands.some((line) => line.startsWith("stack init ephemeral-a"))).toBe(true);
  expect(commands.some((line) => /^cancel .*ephemeral-a/.test(line))).toBe(true);
  expect(commands.at(-1)).toMatch(/^stack rm --yes .*ephemeral-a/);
});

it("up runs without a question", async () => {
  const backend = pulumiBackend();
  await backend.up("ephemeral-a", run());
  const up = asked().find(([line = ""]) => line.startsWith("up "))?.[0];
  expect(up).toMatch(/--yes/);
  expect(up).toMatch(/--skip-preview/);
  expect(up).toMatch(/--stack ephemeral-a/);
  // What is selected is shared by all runs of one directory.
  expect(asked().filter(([line = ""]) => line.startsWith("stack select"))).toEqual([]);
});

it("destroy continues where a resource fails, names what is abandoned, and rejects in the end", async () => {
  const backend = pulumiBackend();
  const output: string[] = [];
  await backend.destroy("ephemeral-a", { ...run(output), env: { OSLO_CLUSTER_ABANDON: "vps-1" } });
  const [line, , , abandoned] = asked().find(([words = ""]) => words.startsWith("destroy ")) ?? [];
  expect(line).toMatch(/--continue-on-error/);
  expect(abandoned).toBe("vps-1");
  expect(output.join("")).toContain("left: a machine");
  writeFileSync(join(place, "fail"), "");
  await expect(backend.destroy("ephemeral-a", run())).rejects.toThrow(
    /^destroy failed: error: 1 resource failed$/,
  );
  expect(existsSync(log)).toBe(true);
});

it("no CLI: says what to install", async () => {
  process.env.PATH = "/usr/bin:/bin";
  rmSync(join(place, "bin"), { recursive: true });
  expect(() => pulumiBackend()).toThrow(/^pulumi: not on PATH; .*install it /);
});
