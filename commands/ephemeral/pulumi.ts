import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type PulumiFailed, pulumiOnPath } from "../engine/cli.ts";
import { fileBackend } from "../engine/file-backend.ts";
import { type PulumiSettings, pulumiStacks } from "../engine/stacks.ts";
import type { Backend, EngineRun } from "./backend.ts";
import type { State } from "./leftovers.ts";
import { engineLockFile, localDirectory, underLock } from "./locks.ts";
import { Refusal } from "./refusal.ts";

const root = join(import.meta.dirname, "../..");

/**
 * Pulumi's CLI on a backend: PULUMI_BACKEND_URL's, or one in this machine's own directory, with a
 * passphrase beside it. No state of this program holds a secret.
 * @param how another CLI than that on PATH, and what it needs in its environment
 * @throws Refusal where there is no CLI, or the state would be lost.
 */
export function pulumiBackend(how: Partial<PulumiSettings> = {}): Backend {
  const { url, env } = backendOf({ ...process.env, ...how.env });
  const { command = [findPulumi()], directory = root } = how;
  const stacks = pulumiStacks({ command, directory, env: { ...how.env, ...env } });
  const run = (stack: string, { seconds, env, onOutput, signal }: EngineRun) => ({
    under: underLock(engineLockFile(url, stack), seconds),
    ...{ env: env ?? {}, onOutput },
    ...(signal ? { signal } : {}),
  });

  return {
    url,
    stacks: stacks.names,
    create: stacks.create,
    tags: stacks.tags,
    setTag: stacks.setTag,
    // Fails where there is nothing to break.
    unlock: (stack) => stacks.cancel(stack).catch(() => {}),
    up: async (stack, how) => void (await stacks.up(stack, run(stack, how)).catch(briefly("up"))),
    destroy: async (stack, how) =>
      void (await stacks.destroy(stack, run(stack, how)).catch(briefly("destroy"))),
    state: async (stack) => JSON.parse(await stacks.exportedState(stack)).deployment as State,
    outputs: stacks.outputs,
    remove: stacks.remove,
  };
}

function briefly(verb: string) {
  return (error: PulumiFailed): never => {
    throw new Refusal(`${verb} failed: ${error.message}`);
  };
}

/** Where the state is, and what Pulumi needs to know of it. */
function backendOf(environment: NodeJS.ProcessEnv): { url: string; env: Record<string, string> } {
  const given = environment.PULUMI_BACKEND_URL;
  if (given) return { url: given, env: {} };
  // Pulumi Cloud needs no address, only a token.
  if (environment.PULUMI_ACCESS_TOKEN) return { url: "https://api.pulumi.com", env: {} };
  if (environment.CI)
    throw new Refusal(
      "PULUMI_BACKEND_URL: not set: in CI the state would be lost with its runner; name a backend, or give PULUMI_ACCESS_TOKEN",
    );
  const state = join(localDirectory(), "state");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const url = fileBackend(state);
  const passphrase = join(localDirectory(), "passphrase");
  if (!existsSync(passphrase))
    writeFileSync(passphrase, randomBytes(24).toString("base64"), { mode: 0o600 });
  const isSet = environment.PULUMI_CONFIG_PASSPHRASE ?? environment.PULUMI_CONFIG_PASSPHRASE_FILE;
  return {
    url,
    env: {
      PULUMI_BACKEND_URL: url,
      ...(isSet === undefined ? { PULUMI_CONFIG_PASSPHRASE_FILE: passphrase } : {}),
    },
  };
}

function findPulumi(): string {
  const file = pulumiOnPath();
  if (file !== undefined) return file;
  throw new Refusal(
    "pulumi: not on PATH; ephemeral clusters are made with Pulumi's CLI: install it (docs/getting-started.md, step 2)",
  );
}
