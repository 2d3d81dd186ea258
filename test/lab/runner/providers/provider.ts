import type { Values } from "../values.ts";

/** A resource as the state has it. */
export interface Resource {
  id: string;
  inputs: Values;
  outputs: Values;
}

/** What an operation may use besides the resource itself. */
export interface Context {
  /** The resource's name in the program. */
  name: string;
  log: (line: string) => void;
  /** Inputs of the explicit provider resource. */
  provider: Values | undefined;
  tools: { kubectl: string; helm: string };
  /** A private directory that goes when the run ends. */
  scratch: string;
}

/** One kind of resource. Creating is done when it resolves; a failed `create` leaves nothing. */
export interface Provider {
  /** Completes the inputs with what the provider chooses itself and keeps (generated names). */
  check?(inputs: Values, name: string, old: Values | undefined): Values;
  /** Whether these changes need a new resource, instead of an update. */
  replaces(changed: string[], old: Values, inputs: Values): boolean;
  create(inputs: Values, context: Context): Promise<{ id: string; outputs: Values }>;
  /** Resolves to the new outputs. */
  update(old: Resource, inputs: Values, context: Context): Promise<Values>;
  delete(old: Resource, context: Context): Promise<void>;
}
