import { text } from "node:stream/consumers";
import { reach, type Target, type Trusted } from "./reach.ts";
import { open, type Session } from "./session.ts";

/**
 * Runs on the operator's machine, with its input as JSON on stdin: does cluster.endpoint lead from here to
 * the control planes? Where there is no API server yet, each control plane answers on its port as long
 * as this asks, with a certificate of its own: so it is known who answers, and that TLS passes through.
 * Its stdout is who answered, by address.
 */
export interface Input extends Target {
  nodes: { name: string; command: string[]; document: string }[];
}

/** How long to try, in seconds: for tests. */
const seconds = process.env.OSLO_CLUSTER_ENDPOINT_SECONDS;

const { nodes, ...target } = JSON.parse(await text(process.stdin)) as Input;
const sessions = nodes.map(({ name, command, document }) => open(name, command, document));
try {
  const answer = await reach(
    target,
    await trustedOf(sessions),
    (line) => console.error(line),
    seconds === undefined ? undefined : Number(seconds),
  );
  if ("why" in answer)
    throw new Error(`cluster.endpoint.host: ${target.host}: ${answer.why}; ${answer.fix}`);
  console.log(JSON.stringify(answer.reached));
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await Promise.all(sessions.map((session) => session.close()));
}

/**
 * Who may answer. Where there is a cluster nobody plays an API server: balancers would take it
 * for one.
 */
async function trustedOf(sessions: readonly Session[]): Promise<Trusted> {
  const known = await all(sessions, (one) => one.ask<{ authority: string | null }>());
  const authorities = known.flatMap(({ authority }, i) =>
    authority === null ? [] : [{ name: sessions[i]?.name ?? "", certificate: pemOf(authority) }],
  );
  if (authorities.length > 0) return authorities;
  const own = await all(sessions, (one) => one.ask<{ certificate: string }>("listen"));
  return own.map(({ certificate }, i) => ({
    name: sessions[i]?.name ?? "",
    certificate: pemOf(certificate),
  }));
}

/** Asks side by side. @throws Error with all that went wrong */
async function all<T>(
  sessions: readonly Session[],
  ask: (session: Session) => Promise<T>,
): Promise<T[]> {
  const answers = await Promise.allSettled(sessions.map(ask));
  const errors = answers.flatMap((one) => (one.status === "rejected" ? [one.reason.message] : []));
  if (errors.length > 0) throw new Error(errors.join("\nerror: "));
  return answers.map((one) => (one as PromiseFulfilledResult<T>).value);
}

function pemOf(base64: string): string {
  return Buffer.from(base64, "base64").toString();
}
