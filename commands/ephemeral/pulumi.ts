import { randomBytes } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { LocalWorkspace, PulumiCommand, Stack } from "@pulumi/pulumi/automation/index.js";
import type { Backend, EngineRun } from "./backend.ts";
import type { State } from "./leftovers.ts";
import { engineLockFile, localDirectory } from "./locks.ts";
import { Refusal } from "./refusal.ts";

const root = join(import.meta.dirname, "../..");

/**
 * The Automation API on a backend: PULUMI_BACKEND_URL's, or one in this machine's own directory, with a
 * passphrase beside it. No state of this program holds a secret.
 * @throws Refusal where there is no CLI, or the state would be lost.
 */
export async function pulumiBackend(): Promise<Backend> {
  process.env.OSLO_CLUSTER_PULUMI = findPulumi();
  const pulumiCommand = await PulumiCommand.get({ root: join(import.meta.dirname, "engine") });
  const { url, env } = backendOf(process.env);

  const workspace = async (extra: Record<string, string> = {}) => {
    const envVars = { ...env, ...extra };
    const made = await LocalWorkspace.create({ workDir: root, pulumiCommand, envVars });
    // Every call names its stack. What is selected is one file for all that run here side by side.
    made.selectStack = async () => {};
    return made;
  };
  const plain = await workspace();
  const running = async (name: string, { seconds, env: extra = {} }: EngineRun) =>
    Stack.select(
      name,
      await workspace({
        ...extra,
        OSLO_CLUSTER_ENGINE_LOCK: engineLockFile(url, name),
        OSLO_CLUSTER_ENGINE_LIMIT: String(Math.ceil(seconds)),
      }),
    );

  return {
    url,
    stacks: async () =>
      (await plain.listStacks()).map(({ name }) => name.split("/").pop() as string),
    create: async (stack) => {
      await Stack.create(stack, plain);
    },
    tags: (stack) => plain.listTags(stack),
    setTag: (stack, key, value) => plain.setTag(stack, key, value),
    unlock: async (stack) => {
      // Fails where there is nothing to break.
      await (await Stack.select(stack, plain)).cancel().catch(() => {});
    },
    up: async (stack, run) => {
      const { onOutput, signal } = run;
      const options = { onOutput, onError: onOutput, color: "never" as const };
      const whole = { ...options, ...(signal ? { signal } : {}) };
      await (await running(stack, run)).up(whole).catch(briefly("up"));
    },
    destroy: async (stack, run) => {
      const { onOutput, signal } = run;
      const options = { onOutput, onError: onOutput, color: "never" as const };
      const all = { ...options, continueOnError: true, ...(signal ? { signal } : {}) };
      await (await running(stack, run)).destroy(all).catch(briefly("destroy"));
    },
    state: async (stack) => (await plain.exportStack(stack)).deployment as State,
    outputs: async (stack) =>
      Object.fromEntries(
        Object.entries(await plain.stackOutputs(stack)).map(([key, { value }]) => [key, value]),
      ),
    remove: (stack) => plain.removeStack(stack),
  };
}

/** The engine's output has been shown as it came; of its error, which repeats all of it, the errors' own lines. */
function briefly(verb: string) {
  return (error: Error): never => {
    const lines = error.message.split("\n").map((line) => line.trim());
    const errors = [...new Set(lines.filter((line) => /^error:/i.test(line)))].slice(0, 5);
    const said = errors.length > 0 ? errors.join("\n  ") : (lines.filter(Boolean).pop() ?? "");
    throw new Refusal(`${verb} failed: ${said}`);
  };
}

/** Where the state is, and what Pulumi needs to know of it. */
function backendOf(environment: NodeJS.ProcessEnv): { url: string; env: Record<string, string> } {
  const quiet = { PULUMI_SKIP_UPDATE_CHECK: "true" };
  const given = environment.PULUMI_BACKEND_URL;
  if (given) return { url: given, env: quiet };
  // Pulumi Cloud needs no address, only a token.
  if (environment.PULUMI_ACCESS_TOKEN) return { url: "https://api.pulumi.com", env: quiet };
  if (environment.CI)
    throw new Refusal(
      "PULUMI_BACKEND_URL: not set: in CI the state would go with its runner; name a backend, or give PULUMI_ACCESS_TOKEN",
    );
  const state = join(localDirectory(), "state");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const url = `file://${state}`;
  const passphrase = join(localDirectory(), "passphrase");
  if (!existsSync(passphrase))
    writeFileSync(passphrase, randomBytes(24).toString("base64"), { mode: 0o600 });
  const isSet = environment.PULUMI_CONFIG_PASSPHRASE ?? environment.PULUMI_CONFIG_PASSPHRASE_FILE;
  return {
    url,
    env: {
      ...quiet,
      PULUMI_BACKEND_URL: url,
      ...(isSet === undefined ? { PULUMI_CONFIG_PASSPHRASE_FILE: passphrase } : {}),
    },
  };
}

function findPulumi(): string {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    const file = join(directory, "pulumi");
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {}
  }
  throw new Refusal(
    "pulumi: not on PATH; install Pulumi's CLI (npm install --global pulumi), which ephemeral clusters are made with",
  );
}
