import type { Config } from "../config/config.ts";
import { loadStackFile } from "../config/load.ts";
import { stackFileOf } from "./stack-file.ts";

/** The configuration of a stack that a person names, as every command's argument does. */
export function configOf(stack: string): Config {
  return loadStackFile(stackFileOf(stack));
}
