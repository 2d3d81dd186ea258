import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { renderStep, type StepDocument } from "../plan/step.ts";

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

/** A short digest of steps' scripts and of what they build on: a changed script runs again. */
export function scriptDigest(...steps: string[]): string {
  const scripts = steps.map((step) => `${step}.sh`);
  return digestOf(["oslo-step", "lib.sh", ...scripts, ...scripts.flatMap(sourced)]);
}

/** The scripts that a script sources, as shellcheck sees them too. */
function sourced(name: string): string[] {
  return [...read(name).matchAll(/^# shellcheck source=steps\/(.+)$/gm)].map(
    ([, source]) => source as string,
  );
}

/** The same of everything that a claim puts on a node. */
export function claimDigest(): string {
  return digestOf(["claim.sh", ...nodeScripts()]);
}

/** What oslo-step writes into a step's marker once this document is applied by these scripts. */
export function markerOf(document: StepDocument): string {
  const script = `${document.step}.sh`;
  const hash = createHash("sha256").update(renderStep(document));
  for (const name of [script, "lib.sh", ...sourced(script)]) hash.update(read(name));
  return hash.digest("hex").slice(0, 16);
}

function digestOf(names: string[]): string {
  const hash = createHash("sha256");
  for (const name of names) hash.update(read(name));
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
