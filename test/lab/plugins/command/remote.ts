import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { type Finished, runProgram } from "../protocol/process.ts";
import { commonInputs, type Run } from "./command.ts";
import { type Endpoint, sshArguments } from "./ssh.ts";

const byAgent = z.never("the lab's plugin has the keys of ssh-agent alone").optional();

const endpoint = {
  host: z.string().min(1),
  port: z.number().int().default(22),
  user: z.string().default("root"),
  hostKey: z
    .string()
    .regex(/^\S+ [A-Za-z0-9+/=]+/, "not a public key: `type base64`")
    .optional(),
  agentSocketPath: z.string().optional(),
  /** Seconds for each dial; 0 is the system's own limit. */
  perDialTimeout: z.number().int().default(15),
  /** Failed dials that are accepted; -1 for no limit. */
  dialErrorLimit: z.number().int().default(10),
  password: byAgent,
  privateKey: byAgent,
  privateKeyPassword: byAgent,
} satisfies Record<keyof Endpoint, z.ZodType>;

export const RemoteInputs = z.strictObject({
  ...commonInputs,
  connection: z.strictObject({ ...endpoint, proxy: z.strictObject(endpoint).optional() }),
});
type Inputs = z.infer<typeof RemoteInputs>;

/** By the login shell of a host. Dialling is tried again as the connection allows; the line runs once. */
export const runRemote: Run<Inputs> = async (line, inputs, { env, ...streams }, { log }) => {
  const { connection, stdin = "", environment } = inputs;
  await refuseUnset(connection, environment, log);
  return dial(connection, ["-o", setEnv(env)], line, log, { input: stdin, ...streams });
};

/** Said on standard error once the connection is there: what fails after it is the command. */
const connected = "--- connected ---";

/** The provider's pauses between dials: from 0.1 s, each half as long again, at most 5 s. */
const [firstPause, growth, longestPause] = [100, 1.5, 5000];

async function dial(
  connection: Inputs["connection"],
  more: string[],
  line: string,
  log: (line: string) => void,
  streams: { input?: string; onStdout?: (line: string) => void; onStderr?: (line: string) => void },
): Promise<Finished> {
  const mark = ["-o", "PermitLocalCommand=yes", "-o", `LocalCommand=echo '${connected}' >&2`];
  const args = [...sshArguments(connection), ...mark, ...more, "--", connection.host, line];
  const { dialErrorLimit: limit } = connection;
  for (let errors = 0, wait = firstPause; ; wait = Math.min(wait * growth, longestPause)) {
    let isConnected = false;
    const onStderr = (text: string) => {
      if (isConnected) streams.onStderr?.(text);
      isConnected ||= text === connected;
    };
    const finished = await runProgram({ file: "ssh", args, ...streams, onStderr });
    if (finished.stderr.includes(`${connected}\n`)) return withoutMark(finished);
    errors++;
    if (limit >= 0 && errors > limit)
      throw new Error(`after ${errors - 1} failed attempts: ${finished.stderr.trim()}`);
    log(`Dial ${errors}/${limit < 0 ? "inf" : limit} failed: retrying`);
    await pause(wait);
  }
}

/** What came before the mark are ssh's own words. */
function withoutMark(finished: Finished): Finished {
  const after = (text: string) => text.slice(text.indexOf(`${connected}\n`) + connected.length + 1);
  const ending = finished.ending.replace(/^exit/, "Process exited with");
  return { ...finished, stderr: after(finished.stderr), output: after(finished.output), ending };
}

/** OpenSSH does not say which variables a host refuses; the provider fails on the first one. */
async function refuseUnset(
  connection: Inputs["connection"],
  environment: Record<string, string>,
  log: (line: string) => void,
): Promise<void> {
  const names = Object.keys(environment);
  if (names.length === 0) return;
  const set = await dial(connection, ["-o", setEnv(environment)], "env -0", log, {});
  const accepted = new Set(set.stdout.split("\0").map((pair) => pair.split("=")[0]));
  const refused = names.find((name) => !accepted.has(name));
  if (refused !== undefined)
    throw new Error(
      `could not set environment variable ${JSON.stringify(refused)}: the host's AcceptEnv has not got it`,
    );
}

function setEnv(environment: Record<string, string>): string {
  const pairs = Object.entries(environment).map(
    ([name, value]) => `"${name}=${value.replace(/["\\]/g, "\\$&")}"`,
  );
  // An empty list is one that sets nothing.
  return `SetEnv=${pairs.join(" ") || "OSLO_CLUSTER="}`;
}
