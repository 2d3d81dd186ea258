import { prettifyError, ZodError } from "zod";
import { dependentReplacements } from "./cascade.ts";
import { asEntry, completeInputs, decide, type Operation, type Registration } from "./decide.ts";
import { hide, print } from "./log.ts";
import { providerFor } from "./providers/index.ts";
import type { Context, Provider } from "./providers/provider.ts";
import { Slots } from "./slots.ts";
import type { Entry, State } from "./state.ts";
import type { Values } from "./values.ts";

/** One operation that was done, or in a preview would be. */
export interface Timing {
  op: Operation;
  urn: string;
  type: string;
  name: string;
  /** Seconds from the start of the run to the start of the operation. */
  start: number;
  /** Seconds that the operation took; 0 in a preview. */
  seconds: number;
}

export interface Settings {
  preview: boolean;
  /** Operations at a time. */
  parallel: number;
  tools: Context["tools"];
  scratch: string;
}

const symbols: Record<Operation, string> = {
  create: "+ ",
  update: "~ ",
  replace: "+-",
  delete: "- ",
  "delete-replaced": "- ",
  same: "  ",
};

/** Decides what each resource needs and does it, keeping the state in step. */
export class Engine {
  readonly timings: Timing[] = [];
  readonly failures: string[] = [];
  private readonly state: State;
  private readonly settings: Settings;
  private readonly slots: Slots;
  private readonly registered = new Set<string>();
  /** Deleted in this run, and still to be made anew. */
  private readonly madeWay = new Set<Entry>();
  private readonly began = performance.now();

  constructor(state: State, settings: Settings) {
    this.state = state;
    this.settings = settings;
    this.slots = new Slots(settings.parallel);
  }

  /** Brings one resource to what the program says, and resolves to its outputs. */
  async register(wanted: Registration): Promise<{ id: string; outputs: Values }> {
    if (this.registered.has(wanted.urn)) {
      throw this.fail(wanted, new Error("is registered twice; give one of them another name."));
    }
    this.registered.add(wanted.urn);
    if (!wanted.custom) return { id: "", outputs: wanted.inputs };
    return this.slots.run(() => this.step(wanted));
  }

  /** Deletes what the program no longer describes, and what was replaced. */
  async deleteLeftovers(): Promise<void> {
    const isLeft = (entry: Entry) => entry.replaced || !this.registered.has(entry.urn);
    await this.deleteAll(this.state.all().filter(isLeft));
    if (!this.settings.preview) this.state.save();
  }

  /** Deletes everything. */
  async destroy(): Promise<void> {
    await this.deleteAll(this.state.all());
  }

  private async step(wanted: Registration): Promise<{ id: string; outputs: Values }> {
    // As in the real engine, what is under way ends, and nothing new starts.
    if (this.failures.length > 0) throw new Error(notStarted);
    hideSecrets(wanted.inputs, wanted.secrets);
    try {
      const provider = providerFor(wanted.type);
      const old = this.state.find(wanted.urn);
      const inputs = completeInputs(wanted, provider, old);
      const op = decide(wanted, provider, old, inputs);
      if (old && op === "replace" && wanted.deleteBeforeReplace) await this.makeWay(old);
      if (this.settings.preview) return this.foresee(op, wanted, old, inputs);
      const entry = await this.carryOut(op, wanted, provider, old, inputs);
      hideSecrets(entry.outputs, entry.secrets);
      return { id: entry.id, outputs: { ...inputs, ...entry.outputs } };
    } catch (error) {
      throw this.fail(wanted, error);
    }
  }

  /** Outputs that an operation would change are left out, which makes them unknown. */
  private foresee(op: Operation, wanted: Registration, old: Entry | undefined, inputs: Values) {
    this.timings.push(this.timing(op, wanted));
    if (op !== "same") print(`${symbols[op]} ${op} ${label(wanted)}`);
    const id = old && op !== "replace" ? old.id : "";
    return { id, outputs: { ...inputs, ...(op === "same" ? old?.outputs : {}) } };
  }

  private async carryOut(
    op: Operation,
    wanted: Registration,
    provider: Provider,
    old: Entry | undefined,
    inputs: Values,
  ): Promise<Entry> {
    const context = this.context(wanted);
    if (op === "same" && old) {
      const entry = asEntry(wanted, inputs, old);
      this.state.put(entry);
      this.timings.push(this.timing(op, wanted));
      return entry;
    }
    return this.timed(op, wanted, async () => {
      if (op === "update" && old) {
        const outputs = await provider.update(old, inputs, context);
        const entry = asEntry(wanted, inputs, { id: old.id, outputs });
        this.state.put(entry);
        this.state.save();
        return entry;
      }
      const entry = asEntry(wanted, inputs, await provider.create(inputs, context));
      if (old && !old.pendingReplacement) this.state.replace(old, entry);
      else this.state.put(entry);
      this.state.save();
      return entry;
    });
  }

  /** Deletes what is to be replaced, and before it, in reverse, what must be replaced with it. */
  private async makeWay(old: Entry): Promise<void> {
    const dependents = dependentReplacements(old, this.state.notMet());
    const going = new Set([old, ...dependents].map((entry) => entry.urn));
    // As in the real engine: after a run that was cut short, dependents are deleted once more.
    const entries = old.pendingReplacement ? dependents : [old, ...dependents];
    for (const entry of entries.toReversed().filter((entry) => !this.madeWay.has(entry))) {
      await this.deleteOne(entry, going, "delete-replaced");
      this.madeWay.add(entry);
    }
  }

  /** Deletes in reverse: each entry once everything that depends on it is gone. */
  private async deleteAll(entries: Entry[]): Promise<void> {
    const going = new Set(entries.map((entry) => entry.urn));
    const deletions = new Map<Entry, Promise<void>>();
    for (const entry of entries.toReversed()) {
      const dependents = [...deletions].filter(([other]) => other.dependencies.includes(entry.urn));
      const deletion = Promise.all(dependents.map(([, gone]) => gone)).then(() =>
        this.slots.run(() =>
          this.deleteOne(entry, going, entry.replaced ? "delete-replaced" : "delete"),
        ),
      );
      deletions.set(entry, deletion);
    }
    await Promise.allSettled(deletions.values());
  }

  private async deleteOne(entry: Entry, going: Set<string>, op: Operation): Promise<void> {
    const { preview } = this.settings;
    const takenAlong = entry.deletedWith !== undefined && going.has(entry.deletedWith);
    hideSecrets({ ...entry.inputs, ...entry.outputs }, entry.secrets);
    try {
      if (preview) {
        // Only in memory: what is registered later knows that it is replaced.
        if (op === "delete-replaced") entry.pendingReplacement = true;
        this.timings.push(this.timing(op, entry));
        print(`${symbols[op]} ${op} ${label(entry)}`);
        return;
      }
      await this.timed(op, entry, async () => {
        if (takenAlong || entry.retainOnDelete) return;
        if (op === "delete" && entry.pendingReplacement) return;
        await providerFor(entry.type).delete(entry, this.context(entry));
      });
      if (op === "delete-replaced" && !entry.replaced) entry.pendingReplacement = true;
      else this.state.remove(entry);
      this.state.save();
    } catch (error) {
      throw this.fail(entry, error);
    }
  }

  private context({ name, provider }: Pick<Entry, "name" | "provider">): Context {
    const { tools, scratch } = this.settings;
    const inputs = provider === undefined ? undefined : this.state.find(provider)?.inputs;
    return { name, tools, scratch, provider: inputs, log: (line) => print(`   ${name}: ${line}`) };
  }

  private async timed<T>(op: Operation, subject: Subject, work: () => Promise<T>): Promise<T> {
    const timing = this.timing(op, subject);
    print(`${symbols[op]} ${op} ${label(subject)} ...`);
    const result = await work();
    timing.seconds = this.now() - timing.start;
    this.timings.push(timing);
    print(`${symbols[op]} ${op} ${label(subject)} ${timing.seconds.toFixed(1)} s`);
    return result;
  }

  private timing(op: Operation, { urn, type, name }: Subject): Timing {
    return { op, urn, type, name, start: this.now(), seconds: 0 };
  }

  private now(): number {
    return (performance.now() - this.began) / 1000;
  }

  /** Keeps the error for the end of the run, once. */
  private fail(subject: Subject, error: unknown): Error {
    const text = messageOf(error);
    if (this.failures.includes(text)) return new Error(text);
    const message = `${label(subject)}: ${text}`;
    this.failures.push(message);
    print(`!! ${message}`);
    return new Error(message);
  }
}

type Subject = Pick<Entry, "urn" | "type" | "name">;

/** The error of a resource whose turn came after another one failed. */
export const notStarted = "not started, because another resource failed";

function label({ type, name }: Subject): string {
  return `${type} ${name}`;
}

function messageOf(error: unknown): string {
  if (error instanceof ZodError) return prettifyError(error);
  return error instanceof Error ? error.message : String(error);
}

/** A connection is always marked as secret, but the runner accepts no credential in it. */
function hideSecrets(values: Values, secrets: string[]): void {
  for (const key of secrets) {
    if (key !== "connection") hide(values[key]);
  }
}
