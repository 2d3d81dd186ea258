import { text } from "node:stream/consumers";
import { type Refusal, reach, type Target, type Trusted } from "./reach.ts";
import { open, type Session } from "./session.ts";
import { type Known, take } from "./take.ts";

/**
 * Runs on the operator's machine, with its input as JSON on stdin: does cluster.endpoint lead from here to
 * the control planes? Where there is no API server yet, each control plane answers on its port as long
 * as this asks, with a certificate of its own: so it is known who answers, and that TLS passes through.
 * A virtual address is taken by each of them in turn.
 */
export interface Input extends Target {
  virtualAddress?: string;
  /** Who is a control plane may answer; the others look on. */
  nodes: { name: string; isControlPlane: boolean; command: string[]; document: string }[];
}

/** How long to try, in seconds: for tests. */
const seconds = process.env.OSLO_CLUSTER_ENDPOINT_SECONDS;

const { nodes: ends, virtualAddress, ...target } = JSON.parse(await text(process.stdin)) as Input;
const sessions = ends.map(({ name, command, document }) => open(name, command, document));
try {
  const first = await all(sessions, (one) => one.ask<Omit<Known, "session">>());
  const known = sessions.map((session, i) => ({
    ...(first[i] as Omit<Known, "session">),
    session,
  }));
  const trusted = await trustedOf(known);
  const awaited = target.controlPlanes[target.host];
  const isAwaited = trusted.size > 0 && awaited !== undefined && !trusted.has(awaited);
  // Where it is in use it is tried out as it is: nobody takes it from whoever has it.
  const refusal = isAwaited
    ? skipped(awaited)
    : virtualAddress === undefined || known.some(({ holds }) => holds)
      ? await reached([...trusted.values()].flat())
      : await take(virtualAddress, target, known, trusted);
  if (refusal) {
    const field = virtualAddress === undefined ? "host" : "virtualAddress.address";
    const value = virtualAddress ?? target.host;
    throw new Error(`cluster.endpoint.${field}: ${value}: ${refusal.why}; ${refusal.fix}`);
  }
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await Promise.all(sessions.map((session) => session.close()));
}

/** A control plane that is built again answers there when it has joined the others, who are asked meanwhile. */
function skipped(name: string): undefined {
  console.error(`${target.host} is of ${name}, which is to join the cluster that the others have`);
  console.log("{}");
}

async function reached(trusted: Trusted): Promise<Refusal | undefined> {
  const say = (line: string) => console.error(line);
  const patience = seconds === undefined ? undefined : Number(seconds);
  const answer = await reach(target, trusted, say, patience);
  if ("why" in answer) return answer;
  console.log(JSON.stringify(answer.reached));
  return undefined;
}

/**
 * Who may answer, by control plane. Where there is a cluster nobody plays an API server: balancers would
 * take it for one.
 */
async function trustedOf(nodes: readonly Known[]): Promise<Map<string, Trusted>> {
  // A worker that outlived all control planes is a member too, and has none.
  const members = nodes.filter(({ authority }, i) => authority !== "" && ends[i]?.isControlPlane);
  if (members.length > 0)
    return new Map(
      members.map(({ session, authority }) => [session.name, [pem(session, authority)]]),
    );
  const planes = sessions.filter((_, i) => ends[i]?.isControlPlane);
  const own = await all(planes, (one) => one.ask<{ certificate: string }>("listen"));
  return new Map(
    planes.map((session, i) => [session.name, [pem(session, own[i]?.certificate ?? "")]]),
  );
}

function pem({ name }: Session, base64: string): Trusted[number] {
  return { name, certificate: Buffer.from(base64, "base64").toString() };
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
