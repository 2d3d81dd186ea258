import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parse } from "yaml";
import { pulumiStacks } from "../../commands/engine/stacks.ts";
import { project } from "../../config/load.ts";
import { root } from "../root.ts";
import { largeStack } from "./large-stack.ts";

const stack = "large";

/** What the engine took for one operation. */
export interface Took {
  /** Of the clock. */
  seconds: number;
  /** Of CPU, the engine's and its plugins': other work on the machine does not change it. */
  cpuSeconds: number;
}

export interface EngineReading {
  nodes: number;
  /** Of a cluster that does not exist yet. */
  preview: Took;
  firstUp: Took;
  /** Nothing has changed. */
  emptyUp: Took;
  emptyPreview: Took;
  resources: number;
  stateMegabytes: number;
}

/**
 * Makes a cluster of so many nodes by Pulumi's engine, with plugins that answer at once: what is left is
 * the program's own work and the engine's.
 */
export async function measureEngine(cli: string, nodes: number): Promise<EngineReading> {
  using box = sandbox(cli, nodes);
  const { stacks, timed } = box;
  await stacks.create(stack);
  box.configure();
  const [preview] = await timed(() => stacks.preview(stack, "--json"));
  const [firstUp, made] = await timed(() => stacks.up(stack));
  const [emptyUp, unchanged] = await timed(() => stacks.up(stack));
  const [emptyPreview] = await timed(() => stacks.preview(stack, "--json"));
  const { create, ...rest } = unchanged;
  if (create + rest.update + rest.replace + rest.delete > 0 || made.create !== rest.same)
    throw new Error(`the second up is not empty: ${JSON.stringify({ made, unchanged })}`);
  const state = await stacks.exportedState(stack);
  return {
    ...{ nodes, preview, firstUp, emptyUp, emptyPreview },
    resources: made.create,
    stateMegabytes: Math.round(state.length / 1e4) / 100,
  };
}

function sandbox(cli: string, nodes: number) {
  const folder = mkdtempSync(join(tmpdir(), "engine-scale-"));
  const file = (name: string) => join(folder, name);
  const write = (name: string, content: object) =>
    writeFileSync(file(name), JSON.stringify(content));
  const runtime = { name: "nodejs", options: { typescript: false } };
  write("Pulumi.yaml", { name: project, main: "index.ts", runtime });
  write("package.json", { type: "module" });
  writeFileSync(file("index.ts"), `export * from "${join(root, "index.ts")}";\n`);
  symlinkSync(join(root, "node_modules"), file("node_modules"));
  mkdirSync(file("state"));
  const path = [
    join(root, "test/bench/plugins/bin"),
    join(root, "test/lab/plugins/bin"),
    join(root, "test/components/agent-with-key"),
    dirname(process.execPath),
    process.env.PATH,
  ].join(delimiter);
  const stacks = pulumiStacks({
    // The shell's own count of what it and its children took, once they have ended.
    command: ["bash", "-c", `"$0" "$@"; status=$?; times >"${file("times")}"; exit $status`, cli],
    directory: folder,
    env: {
      PATH: path,
      PULUMI_HOME: file("home"),
      PULUMI_BACKEND_URL: `file://${file("state")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      SSH_AUTH_SOCK: "/test/agent",
    },
  });
  const timed = async <T>(work: () => Promise<T>): Promise<[Took, T]> => {
    const since = performance.now();
    const result = await work();
    const seconds = round((performance.now() - since) / 1000);
    return [{ seconds, cpuSeconds: cpuSeconds(readFileSync(file("times"), "utf8")) }, result];
  };
  /** Beside what the engine wrote there, which decrypts the state. */
  const configure = () => {
    const { config: _, ...kept } = parse(readFileSync(file(`Pulumi.${stack}.yaml`), "utf8")) ?? {};
    const sections = Object.entries(largeStack(nodes));
    const config = Object.fromEntries(sections.map(([key, value]) => [`${project}:${key}`, value]));
    write(`Pulumi.${stack}.yaml`, { ...kept, config });
  };
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return { stacks, timed, configure, [Symbol.dispose]: remove };
}

/** Of bash's `times`: its own user and system time, then its children's. */
function cpuSeconds(times: string): number {
  const parts = [...times.matchAll(/(\d+)m([\d.]+)s/g)];
  return round(
    parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0),
  );
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
