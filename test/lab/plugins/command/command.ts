import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { failuresOf } from "../protocol/inputs.ts";
import type { Finished } from "../protocol/process.ts";
import type { Context, Resource } from "../protocol/provider.ts";
import {
  differences,
  isMap,
  isSecret,
  isUnknown,
  open,
  secret,
  unknown,
  type Values,
} from "../protocol/values.ts";

/** What commands have in common, wherever they run. */
export const commonInputs = {
  create: z.string().optional(),
  update: z.string().optional(),
  delete: z.string().optional(),
  stdin: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  triggers: z.array(z.unknown()).optional(),
  logging: z.enum(["stdout", "stderr", "stdoutAndStderr", "none"]).default("stdoutAndStderr"),
  addPreviousOutputInEnv: z.boolean().default(true),
};

/** What both kinds of commands read of their inputs. */
export type Common = z.infer<z.ZodObject<typeof commonInputs>>;

/** Runs one command line. @throws where it cannot be run at all. */
export type Run<Inputs> = (
  line: string,
  inputs: Inputs,
  streams: { env: Record<string, string>; onStdout?: Log; onStderr?: Log },
  context: Context,
) => Promise<Finished>;
type Log = (line: string) => void;

/** What a run leaves. */
interface Reading {
  stdout: string;
  stderr: string;
}

/** `local.Command` and `remote.Command`: they differ in what runs the line. */
export function commandResource<Inputs extends Common>(
  schema: z.ZodType<Inputs>,
  run: Run<Inputs>,
): Resource {
  const perform = async (line: string, raw: Values, old: Reading, context: Context) => {
    const { stdout: _, stderr: __, ...own } = open(raw) as Values;
    const inputs = schema.parse(own);
    const previous = inputs.addPreviousOutputInEnv ? previousEnvironment(old) : {};
    const env = { ...inputs.environment, ...previous };
    const finished = await run(line, inputs, { env, ...logged(inputs.logging, context) }, context);
    if (finished.status !== 0)
      throw new Error(`${finished.ending}: running ${JSON.stringify(line)}:\n${finished.output}`);
    return {
      stdout: finished.stdout.replace(/\n$/, ""),
      stderr: finished.stderr.replace(/\n$/, ""),
    };
  };
  const newId = (name: string) => `${name}${randomBytes(4).toString("hex")}`;
  const text = (values: Values, key: string) => open(values[key]) as string | undefined;
  const reading = (values: Values) => ({
    stdout: text(values, "stdout") ?? "",
    stderr: text(values, "stderr") ?? "",
  });

  return {
    check: (inputs) => ({ inputs: completed(inputs), failures: failuresOf(schema, inputs) }),
    // Changed elements of triggers replace too: the SDK asks the engine for that.
    diff: (old, inputs) =>
      [...differences(old, inputs)].map(([path, kind]) => ({
        ...{ path, kind },
        replaces: path === "triggers",
      })),
    foresee: (inputs, name, old) => {
      const known = old !== undefined && keepsReading(old.outputs, inputs);
      const after = known ? reading(old.outputs) : { stdout: unknown, stderr: unknown };
      return { id: old?.id ?? newId(name), outputs: { ...inputs, ...after } };
    },
    create: async (inputs, context) => {
      const line = text(inputs, "create");
      const none = { stdout: "", stderr: "" };
      const made = line === undefined ? none : await perform(line, inputs, none, context);
      return { id: newId(context.name), outputs: { ...inputs, ...made } };
    },
    update: async (old, inputs, context) => {
      const line = text(inputs, "update") ?? text(inputs, "create");
      const before = reading(old.outputs);
      const after = line === undefined ? before : await perform(line, inputs, before, context);
      return { ...inputs, ...after };
    },
    delete: async ({ outputs }, context) => {
      const line = text(outputs, "delete");
      if (line !== undefined) await perform(line, outputs, reading(outputs), context);
    },
  };
}

/** In previews of updates, what was printed counts as known where inputs were only added: as upstream has it. */
function keepsReading({ stdout: _, stderr: __, ...old }: Values, inputs: Values): boolean {
  const same = Object.entries(old).every(([key, value]) => isDeepStrictEqual(value, inputs[key]));
  return same && !Object.values(inputs).some((value) => isUnknown(open(value)));
}

/** A connection is a secret, and has its defaults in the state. */
function completed(inputs: Values): Values {
  if (inputs.connection === undefined) return inputs;
  const given = isSecret(inputs.connection) ? inputs.connection.value : inputs.connection;
  return { ...inputs, connection: secret(isMap(given) ? withDefaults(given) : given) };
}

const connectionDefaults = { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 };

function withDefaults(endpoint: Values): Values {
  const whole: Values = { ...connectionDefaults, ...endpoint };
  return isMap(whole.proxy)
    ? { ...whole, proxy: { ...connectionDefaults, ...whole.proxy } }
    : whole;
}

function logged(logging: Common["logging"], { log }: Context) {
  return {
    ...(["stdout", "stdoutAndStderr"].includes(logging) ? { onStdout: log } : {}),
    ...(["stderr", "stdoutAndStderr"].includes(logging) ? { onStderr: log } : {}),
  };
}

function previousEnvironment({ stdout, stderr }: Reading): Record<string, string> {
  return {
    ...(stdout === "" ? {} : { PULUMI_COMMAND_STDOUT: stdout }),
    ...(stderr === "" ? {} : { PULUMI_COMMAND_STDERR: stderr }),
  };
}
