import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { execa, type Options } from "execa";

/**
 * Runs a command and answers its standard output. A failure names the command and carries what it
 * wrote to standard error.
 */
export async function run(
  command: string,
  args: readonly string[] = [],
  options: Options = {},
): Promise<string> {
  const result = await execa(command, args, { ...options });
  return typeof result.stdout === "string" ? result.stdout : "";
}

/** True when the command exits with 0. */
export async function succeeds(command: string, args: readonly string[] = []): Promise<boolean> {
  const result = await execa(command, args, { reject: false, timeout: 30_000 });
  return result.exitCode === 0;
}

/** The command line that runs a command in a network namespace, with this machine's mounts. */
export function inNamespace(netns: string, command: readonly string[]): string[] {
  return ["nsenter", `--net=/run/netns/${netns}`, "--", ...command];
}

/** True when the command is on PATH. */
export async function onPath(command: string): Promise<boolean> {
  return succeeds("sh", ["-c", 'command -v "$1" >/dev/null', "sh", command]);
}

/**
 * Asks until the condition holds.
 *
 * @param what completes the sentence "waited N s for …"
 * @param seconds how long it may take where nothing else runs: a busy machine is given three times that
 * @param condition what is false, undefined or empty does not hold
 * @returns what the condition answered at last
 */
export async function waitFor<T>(
  what: string,
  seconds: number,
  condition: () => Promise<T | false | undefined> | T | false | undefined,
): Promise<T> {
  const limit = 3 * seconds;
  const deadline = performance.now() + limit * 1000;
  while (true) {
    const answer = await condition();
    if (answer) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${limit} s for ${what}`);
    await delay(50);
  }
}

/** A short name for a content: the first 16 hexadecimal digits of its SHA-256. */
export function contentKey(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(String(part.length)).update("\0").update(part);
  return hash.digest("hex").slice(0, 16);
}
