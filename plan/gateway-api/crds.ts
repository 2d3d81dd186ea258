import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { Manifest } from "../manifest.ts";

/**
 * The Gateway API's CRDs that Cilium asks for, standard channel, as upstream releases them: they are
 * part of this repository, so that an upgrade of them is a reviewed change and `up` downloads nothing.
 */
export function gatewayApiCrds(version: string): Manifest[] {
  const known = read.get(version) ?? readCrds(version);
  read.set(version, known);
  return known;
}

/** They are long, and one process may plan several stacks. */
const read = new Map<string, Manifest[]>();

function readCrds(version: string): Manifest[] {
  const directory = new URL(`crds/v${version}/`, import.meta.url);
  return readdirSync(directory)
    .sort()
    .map((file) => withoutTexts(parse(readFileSync(new URL(file, directory), "utf8"))) as Manifest);
}

/**
 * Without the fields' descriptions, three quarters of a CRD, as controller-gen leaves them out at
 * maxDescLen=0: the engine saves its whole state, these with it, at every resource that it makes.
 * @param named Keys are names of fields, of which one may be "description".
 */
function withoutTexts(value: unknown, named = false): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutTexts(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => named || key !== "description")
      .map(([key, child]) => [key, withoutTexts(child, !named && key === "properties")]),
  );
}
