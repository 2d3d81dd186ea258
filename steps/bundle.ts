import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { StepName } from "../plan/step.ts";

const directory = new URL(".", import.meta.url);
/** Scripts that reach a node by themselves, before or after the others are there. */
const selfContained = ["claim.sh", "release.sh"];
const endMarker = "OSLO_CLUSTER_END";

/** The first contact with a node, as one script for `bash -s -- <cluster>`: claim it, put every step there, report facts. */
export function claimScript(): string {
  const parts = nodeScripts().map(
    (name) => `put ${name} <<'${endMarker}'\n${read(name)}${endMarker}\n`,
  );
  return `${read("claim.sh")}\n${parts.join("")}facts\n`;
}

/** Gives a node back, as one script for `bash -s -- <cluster>`. */
export function releaseScript(): string {
  return read("release.sh");
}

/** A short digest of a step's script and of what it builds on: a changed script runs again. */
export function scriptDigest(step: StepName): string {
  const hash = createHash("sha256");
  for (const name of ["oslo-step", "lib.sh", `${step}.sh`]) hash.update(read(name));
  return hash.digest("hex").slice(0, 8);
}

function nodeScripts(): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .filter((name) => !name.endsWith(".ts") && !selfContained.includes(name))
    .sort();
}

function read(name: string): string {
  return readFileSync(new URL(name, directory), "utf8");
}
