import type { Log } from "./engine.ts";
import type { Difference, Values } from "./values.ts";

/** A package of resources, served to the engine by server.ts. */
export interface Provider {
  /** That of the SDK's package, which names it in every request. */
  version: string;
  checkConfig?(inputs: Values): Checked;
  diffConfig(old: Values, inputs: Values): Change[];
  /** Not called in a preview that does not know the configuration. */
  configure?(inputs: Values): void;
  /** @throws for a type that the package has not got. */
  resource(type: string): Resource;
}

/** What happens with one type of resource. All values carry secrets wrapped; in previews, unknowns too. */
export interface Resource {
  check(inputs: Values, old: Values | undefined, name: string): Checked;
  /** @param old the inputs of the last time */
  diff(old: Values, inputs: Values): Change[];
  /**
   * In a preview: what `create` or `update` would leave, as far as it is known.
   * @param old what an update starts from
   */
  foresee(inputs: Values, name: string, old?: Made): Made;
  /** @throws where nothing is to be kept in the state; {@link Incomplete} where all but its end is */
  create(inputs: Values, context: Context): Promise<Made>;
  /** Resolves to the new outputs. @throws where the state is to stay as it is; {@link Incomplete} as in `create` */
  update(old: Made, inputs: Values, context: Context): Promise<Values>;
  delete(old: Made, context: Context): Promise<void>;
}

export interface Checked {
  /** With what the provider fills in. @default as given */
  inputs?: Values;
  failures?: Failure[];
}

export interface Failure {
  property: string;
  reason: string;
}

export interface Change {
  path: string;
  kind: Difference;
  /** By another resource, instead of an update. */
  replaces?: boolean;
  /** The old one is deleted before that. */
  deletesFirst?: boolean;
}

export interface Made {
  id: string;
  outputs: Values;
}

/** What is there and in the state, but is not yet what it is to be: the next run updates it. */
export class Incomplete extends Error {
  readonly made: Made;

  constructor(made: Made, { message }: Error) {
    super(message);
    this.made = made;
  }
}

export interface Context {
  /** The resource's name in the program. */
  name: string;
  /** Shows a line of progress. */
  log: Log;
  /** Aborted when the user interrupts the engine. */
  signal: AbortSignal;
}
