import { join } from "node:path";
import { execa } from "execa";
import { root } from "../root.ts";
import { labEnvironment } from "./engine.ts";
import type { LabFacts } from "./facts.ts";
import { inNamespace } from "./shell.ts";

/**
 * Runs a command of the product in the lab's network, as a person would type it. Nothing is on its standard
 * input, and its exit code is the caller's to judge.
 * @param env variables beside the lab's. @default none
 */
export function runInLab(facts: LabFacts, words: readonly string[], env = {}) {
  const line = [process.execPath, join(root, "commands/main.ts"), ...words];
  const [file = "", ...args] = inNamespace(facts.netns, line);
  return execa(file, args, {
    cwd: root,
    env: { ...labEnvironment(facts), ...env },
    ...{ all: true, reject: false, stdin: "ignore" },
  } as const);
}
