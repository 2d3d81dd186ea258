import { randomBytes } from "node:crypto";
import { z } from "zod";
import { execute, type Finished, failure } from "../exec.ts";
import type { Values } from "../values.ts";
import type { Context, Provider } from "./provider.ts";
import { Connection, runRemote } from "./ssh.ts";

const common = {
  create: z.string().optional(),
  update: z.string().optional(),
  delete: z.string().optional(),
  stdin: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  triggers: z.array(z.unknown()).optional(),
  logging: z.enum(["stdout", "stderr", "stdoutAndStderr", "none"]).default("stdoutAndStderr"),
  addPreviousOutputInEnv: z.boolean().default(true),
};
const RemoteInputs = z.strictObject({ ...common, connection: Connection });
const LocalInputs = z.strictObject({
  ...common,
  dir: z.string().optional(),
  interpreter: z.array(z.string()).nonempty().default(["/bin/sh", "-c"]),
});

type Logging = z.infer<typeof RemoteInputs>["logging"];
type Run = (command: string, inputs: Values, previous: Values, context: Context) => Promise<Values>;

/** `command:remote:Command`. */
export const remoteCommand = commandProvider(async (command, values, _previous, context) => {
  const inputs = RemoteInputs.parse(values);
  const finished = await runRemote(inputs.connection, command, inputs.environment, {
    ...(inputs.stdin === undefined ? {} : { input: inputs.stdin }),
    ...streams(inputs.logging, context),
    log: context.log,
  });
  return outputs(finished, inputs.logging, `on ${inputs.connection.host}`);
});

/** `command:local:Command`. */
export const localCommand = commandProvider(async (command, values, previous, context) => {
  const inputs = LocalInputs.parse(values);
  const [file = "/bin/sh", ...args] = inputs.interpreter;
  const finished = await execute({
    file,
    args: [...args, command],
    ...(inputs.dir === undefined ? {} : { cwd: inputs.dir }),
    ...(inputs.stdin === undefined ? {} : { input: inputs.stdin }),
    env: { ...inputs.environment, ...(inputs.addPreviousOutputInEnv ? previousEnv(previous) : {}) },
    ...streams(inputs.logging, context),
  });
  return outputs(finished, inputs.logging, "the command");
});

/** What both have in common, as @pulumi/command 1.2.1 does it. */
function commandProvider(run: Run): Provider {
  return {
    replaces: (changed) => changed.includes("triggers"),
    async create(inputs, context) {
      const none = { stdout: "", stderr: "" };
      const made =
        inputs.create === undefined ? none : await run(`${inputs.create}`, inputs, {}, context);
      return { id: `${context.name}${randomBytes(4).toString("hex")}`, outputs: made };
    },
    async update(old, inputs, context) {
      const command = inputs.update ?? inputs.create;
      if (command === undefined) return old.outputs;
      return run(`${command}`, inputs, old.outputs, context);
    },
    async delete(old, context) {
      if (old.inputs.delete === undefined) return;
      await run(`${old.inputs.delete}`, old.inputs, old.outputs, context);
    },
  };
}

function streams(logging: Logging, context: Context) {
  const tell = (line: string) => context.log(line);
  const stdout = logging === "stdout" || logging === "stdoutAndStderr";
  const stderr = logging === "stderr" || logging === "stdoutAndStderr";
  return { ...(stdout ? { onStdout: tell } : {}), ...(stderr ? { onStderr: tell } : {}) };
}

function outputs(finished: Finished, logging: Logging, what: string): Values {
  if (finished.ok) return { stdout: finished.stdout, stderr: finished.stderr };
  if (logging !== "none") throw failure(what, finished);
  throw new Error(`${what}: ${finished.ending} (its output is withheld: logging is none)`);
}

function previousEnv({ stdout, stderr }: Values): Record<string, string> {
  return {
    ...(stdout ? { PULUMI_COMMAND_STDOUT: `${stdout}` } : {}),
    ...(stderr ? { PULUMI_COMMAND_STDERR: `${stderr}` } : {}),
  };
}
