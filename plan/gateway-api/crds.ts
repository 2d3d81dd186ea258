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
    .map((file) => parse(readFileSync(new URL(file, directory), "utf8")) as Manifest);
}
