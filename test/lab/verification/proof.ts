import type { Proof, Verdict } from "../../../verify/proof.ts";
import type { Engine } from "../engine.ts";
import type { LabFacts } from "../infrastructure.ts";

/** A promise that only the lab can hold to the test: the product's own are in verify/. */
export interface LabProof extends Pick<Proof, "promise" | "proof"> {
  /** Throws, or answers fail, where the promise does not hold. */
  prove(lab: Lab): Promise<Verdict>;
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
