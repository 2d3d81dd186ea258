import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CliOptions, callPulumi } from "./cli.ts";

/** Pulumi's CLI, and the program whose stacks it works on. */
export interface PulumiSettings {
  /** The CLI's command line. @default `pulumi` */
  command?: readonly string[];
  /** Where the program's Pulumi.yaml is. */
  directory: string;
  /** Added to this process's environment. */
  env?: Record<string, string>;
}

export interface OperationOptions extends Omit<CliOptions, "limit"> {
  /** A command line that runs the CLI, such as a lock's. @default none */
  under?: readonly string[];
  /** URNs of what an `up` is to replace though nothing of it has changed. @default none */
  replace?: readonly string[];
}

/** How many resources, by operation. */
export type Summary = Record<"create" | "update" | "replace" | "delete" | "same", number>;

/** A question to the CLI asks a backend, no machine; longer than this is a backend that hangs. */
const questionSeconds = 300;

/** A preview asks the state and the charts, no machine. */
export const previewSeconds = 600;

/** The one place that drives Pulumi: every call names its stack, and none asks a question back. */
export function pulumiStacks({ command = ["pulumi"], directory, env = {} }: PulumiSettings) {
  const call = (args: readonly string[], options: OperationOptions & CliOptions = {}) => {
    const { under = [], ...rest } = options;
    const line = [...under, ...command, ...args, "--non-interactive", "--cwd", directory];
    return callPulumi(line, { ...rest, env: { ...env, ...options.env } });
  };
  const ask = (...args: string[]) => call(args, { limit: questionSeconds });
  const operate = async (args: string[], stack: string, options: OperationOptions) => {
    using log = eventLog();
    const flags = ["--stack", stack, "--yes", "--skip-preview", "--event-log", log.file];
    // The flag for the log of events is one of those.
    const debug = { ...options.env, PULUMI_DEBUG_COMMANDS: "true" };
    await call([...args, ...flags, "--color", "never"], { ...options, env: debug });
    return log.summary();
  };

  return {
    names: async (): Promise<string[]> =>
      (JSON.parse(await ask("stack", "ls", "--json")) as { name: string }[]).map(
        ({ name }) => name.split("/").pop() as string,
      ),
    create: async (stack: string) => void (await ask("stack", "init", stack, "--no-select")),
    tags: async (stack: string): Promise<Record<string, string>> =>
      JSON.parse(await ask("stack", "tag", "ls", "--json", "--stack", stack)),
    setTag: async (stack: string, key: string, value: string) =>
      void (await ask("stack", "tag", "set", key, value, "--stack", stack)),
    /** Breaks the backend's lock of a run that was killed. @throws where there is none */
    cancel: async (stack: string) => void (await ask("cancel", "--yes", "--stack", stack)),

    /** What was done until a failure stays in the state. @throws PulumiFailed */
    up: (stack: string, options: OperationOptions = {}): Promise<Summary> =>
      operate(
        ["up", ...(options.replace ?? []).flatMap((urn) => ["--replace", urn])],
        stack,
        options,
      ),
    /** Continues where a resource cannot be deleted. @throws PulumiFailed in the end, then */
    destroy: (stack: string, options: OperationOptions = {}): Promise<Summary> =>
      operate(["destroy", "--continue-on-error"], stack, options),
    /**
     * The preview, as the engine prints it with these flags. It saves no state after each resource, which
     * takes most of its time; an `up` must.
     * @throws PulumiFailed
     */
    preview: (stack: string, ...flags: string[]): Promise<string> =>
      call(["preview", "--stack", stack, ...flags], {
        limit: previewSeconds,
        env: { PULUMI_SKIP_CHECKPOINTS: "true", PULUMI_EXPERIMENTAL: "true" },
      }),

    /** Its outputs, secret ones too. */
    outputs: async (stack: string): Promise<Record<string, unknown>> =>
      JSON.parse(await ask("stack", "output", "--json", "--show-secrets", "--stack", stack)),
    /** The whole state as text, secrets encrypted. */
    exportedState: (stack: string): Promise<string> => ask("stack", "export", "--stack", stack),
    /** Forgets the stack, its tags and its file. @throws where it still has resources */
    remove: async (stack: string) => void (await ask("stack", "rm", "--yes", "--stack", stack)),
  };
}

export type PulumiStacks = ReturnType<typeof pulumiStacks>;

/** What a preview would do, of what `--json` prints. */
export function previewSummary(json: string): Summary {
  return {
    ...nothing,
    ...(JSON.parse(json) as { changeSummary?: Partial<Summary> }).changeSummary,
  };
}

const nothing: Summary = { create: 0, update: 0, replace: 0, delete: 0, same: 0 };

/** A file for the engine's events, one in a line. */
function eventLog() {
  const directory = mkdtempSync(join(tmpdir(), "oslo-cluster-events-"));
  const file = join(directory, "events");
  return {
    file,
    summary(): Summary {
      const events = readFileSync(file, "utf8").split("\n").filter(Boolean);
      const ends = events
        .map((line) => JSON.parse(line) as { summaryEvent?: { resourceChanges: Partial<Summary> } })
        .flatMap(({ summaryEvent }) => summaryEvent?.resourceChanges ?? []);
      return { ...nothing, ...ends.at(-1) };
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
