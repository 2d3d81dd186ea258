import type { Engine } from "../engine.ts";
import type { LabFacts } from "../infrastructure.ts";

/** One promise of the lab, with how it is proven. */
export interface Proof {
  promise: string;
  /** Throws, or answers failed, where the promise does not hold. */
  prove(lab: Lab): Promise<Verdict>;
}

export interface Verdict {
  /** `not verified` says in its reading what is missing; it never counts as passed. */
  result: "passed" | "failed" | "not verified";
  reading: string;
}

/** What a proof may ask. */
export interface Lab {
  facts: LabFacts;
  engine: Engine;
  /** Runs kubectl; answers its output. @throws where it fails */
  kubectl(...args: string[]): Promise<string>;
  /** Runs a shell command as root on a host; answers its output. @throws where it fails */
  onHost(host: string, command: string): Promise<string>;
}

/** Passed if nothing was found, failed with what was found. */
export function expectNothing(found: string[], reading: string): Verdict {
  return found.length === 0
    ? { result: "passed", reading }
    : { result: "failed", reading: found.join("; ") };
}

/** Asks every host, side by side. */
export async function onEveryHost(
  { facts, onHost }: Lab,
  command: string,
): Promise<{ host: string; output: string }[]> {
  return Promise.all(
    facts.hosts.map(async ({ name }) => ({
      host: name,
      output: (await onHost(name, command)).trim(),
    })),
  );
}
