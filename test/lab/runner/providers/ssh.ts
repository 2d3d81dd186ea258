import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type CommandLine, execute, type Finished, failure } from "../exec.ts";

const endpoint = {
  host: z.string().min(1),
  port: z.number().int().default(22),
  user: z.string().default("root"),
  /** Required, although the provider would accept any key without it. */
  hostKey: z.string().regex(/^[\w@.-]+ [A-Za-z0-9+/=]+/, "not a public key: `type base64`"),
  agentSocketPath: z.string().optional(),
  /** Seconds for each dial; 0 is the system's own limit. */
  perDialTimeout: z.number().int().default(15),
  /** Failed dials that are accepted; -1 for no limit. */
  dialErrorLimit: z.number().int().default(10),
};

/** The connection of a remote command, without what would put a credential into the state. */
export const Connection = z.strictObject({
  ...endpoint,
  proxy: z.strictObject(endpoint).optional(),
});
export type Connection = z.infer<typeof Connection>;

/** Said on standard error once the connection stands: what fails after it is the command. */
const connectedMark = "--- connected ---";

/** The provider's pauses between dials: from 0.1 s, each half as long again, at most 5 s. */
const [firstPause, pauseGrowth, longestPause] = [100, 1.5, 5000];

/**
 * Runs `command` by the login shell of a host, with the host's key pinned and the agent's keys.
 * Dialling is tried again as the connection allows; the command itself runs once.
 */
export async function runRemote(
  connection: Connection,
  command: string,
  environment: Record<string, string>,
  options: Pick<CommandLine, "input" | "onStdout" | "onStderr"> & { log: (line: string) => void },
): Promise<Finished> {
  const args = [...sshArguments(connection), ...setEnv(environment), "--", connection.host];
  const say = options.onStderr ?? (() => {});
  for (let errors = 0, pause = firstPause; ; errors++) {
    let connected = false;
    const onStderr = (line: string) => {
      if (connected) say(line);
      else connected = line === connectedMark;
    };
    const finished = await execute({ ...options, file: "ssh", args: [...args, command], onStderr });
    if (connected) return withoutMark(finished);
    if (connection.dialErrorLimit >= 0 && errors >= connection.dialErrorLimit) {
      const { user, host, port } = connection;
      throw failure(`cannot connect to ${user}@${host}:${port} in ${errors + 1} tries`, finished);
    }
    if (errors === 0) options.log(`waiting for ${connection.host} to accept connections`);
    await delay(pause);
    pause = Math.min(pause * pauseGrowth, longestPause);
  }
}

/** Everything before the destination on ssh's command line. */
export function sshArguments(connection: Connection): string[] {
  const mark = ["-o", "PermitLocalCommand=yes", "-o", `LocalCommand=echo '${connectedMark}' >&2`];
  const { proxy } = connection;
  if (!proxy) return [...endpointArguments(connection), ...mark];
  const inner = ["ssh", ...endpointArguments(proxy)].map(shellWord).join(" ");
  const jump = `${inner.replaceAll("%", "%%")} -W '[%h]:%p' -- ${shellWord(proxy.host)}`;
  return [...endpointArguments(connection), ...mark, "-o", `ProxyCommand=${jump}`];
}

function endpointArguments(to: Omit<Connection, "proxy">): string[] {
  const [keyType, key] = to.hostKey.split(" ");
  const options = {
    BatchMode: "yes",
    StrictHostKeyChecking: "yes",
    UserKnownHostsFile: "none",
    GlobalKnownHostsFile: "none",
    // %H is the host as ssh looks it up, `[host]:port` included.
    KnownHostsCommand: `/bin/echo %H ${keyType} ${key}`,
    IdentityFile: "none",
    ...(to.agentSocketPath === undefined ? {} : { IdentityAgent: to.agentSocketPath }),
    PreferredAuthentications: "publickey",
    ...(to.perDialTimeout === 0 ? {} : { ConnectTimeout: to.perDialTimeout }),
    // A machine that went silent ends the session after a minute.
    ServerAliveInterval: 15,
    ServerAliveCountMax: 4,
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  return ["-F", "none", "-T", ...flags, "-p", String(to.port), "-l", to.user];
}

function setEnv(environment: Record<string, string>): string[] {
  const pairs = Object.entries(environment).map(([name, value]) => {
    return `"${name}=${value.replace(/["\\]/g, "\\$&")}"`;
  });
  return pairs.length === 0 ? [] : ["-o", `SetEnv=${pairs.join(" ")}`];
}

function shellWord(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** What came before the mark are ssh's own words. */
function withoutMark(finished: Finished): Finished {
  const lines = finished.stderr.split("\n");
  const stderr = lines.slice(lines.indexOf(connectedMark) + 1).join("\n");
  return { ...finished, stderr };
}
