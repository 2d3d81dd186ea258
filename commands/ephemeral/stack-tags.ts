/**
 * What an ephemeral stack says of itself, in tags of its own: every backend keeps them beside the
 * state, so that any machine that reaches the backend can list, share out and remove.
 */
export interface EphemeralRecord {
  name: string;
  /** Who asked for it. */
  owner: string;
  /** From then on `reap` removes it. */
  expiresAt: Date;
  /** `down` from the moment that its removal began: whoever comes next finishes it. */
  phase: "up" | "down";
  /** What no other cluster may have meanwhile: machines, VLANs, subnets, slots. */
  claims: readonly string[];
  operation?: Operation;
}

/** Who is at work on a stack: a promise to be done, or dead, by then. */
export interface Operation {
  verb: "up" | "down";
  /** The machine that it runs on. */
  host: string;
  until: Date;
}

export type Tags = Readonly<Record<string, string>>;

const prefix = "ephemeral-";
const key = (field: string) => `oslo-cluster:${field}`;

/** The stack of an ephemeral cluster. */
export function stackOf(name: string): string {
  return `${prefix}${name}`;
}

/** The ephemeral cluster of a stack; undefined for any other stack, which nothing here touches. */
export function nameOf(stack: string): string | undefined {
  return stack.startsWith(prefix) ? stack.slice(prefix.length) : undefined;
}

/**
 * The record as tags, the expiry first: written in this order, a run that is killed between two of
 * them leaves a stack that `reap` removes.
 */
export function tagsOf(record: EphemeralRecord): [string, string][] {
  return [
    [key("expires"), record.expiresAt.toISOString()],
    [key("owner"), record.owner],
    [key("phase"), record.phase],
    operationTag(record.operation),
    claimsTag(record.claims),
  ];
}

/** A lone hyphen means nothing: not every backend takes an empty tag. */
export function claimsTag(claims: readonly string[]): [string, string] {
  return [key("claims"), claims.join(" ") || "-"];
}

export function phaseTag(phase: EphemeralRecord["phase"]): [string, string] {
  return [key("phase"), phase];
}

export function operationTag(operation?: Operation): [string, string] {
  const { verb, host, until } = operation ?? {};
  return [key("operation"), until ? `${verb} ${host} ${until.toISOString()}` : "-"];
}

/** Reads a stack's tags. Undefined without an expiry that is a time: such a stack is not ours to touch. */
export function readRecord(name: string, tags: Tags): EphemeralRecord | undefined {
  const expiresAt = time(tags[key("expires")]);
  if (expiresAt === undefined) return undefined;
  const operation = readOperation(tags[key("operation")]);
  return {
    name,
    owner: tags[key("owner")] ?? "unknown",
    expiresAt,
    phase: tags[key("phase")] === "down" ? "down" : "up",
    claims: (tags[key("claims")] ?? "-").split(" ").filter((claim) => claim !== "-"),
    ...(operation ? { operation } : {}),
  };
}

/** True for what `reap` removes: expired, or on its way down already. */
export function isDue({ expiresAt, phase }: EphemeralRecord, now: Date): boolean {
  return phase === "down" || expiresAt.getTime() <= now.getTime();
}

/**
 * The operation that another machine may still be at work on. On one's own machine a lock tells, which
 * ends with its process.
 */
export function operationElsewhere(
  { operation }: EphemeralRecord,
  host: string,
  now: Date,
): Operation | undefined {
  const isOver = operation === undefined || operation.until.getTime() <= now.getTime();
  return isOver || operation.host === host ? undefined : operation;
}

function readOperation(text = "-"): Operation | undefined {
  const [verb, host = "", when] = text.split(" ");
  const until = time(when);
  return (verb === "up" || verb === "down") && until ? { verb, host, until } : undefined;
}

function time(text = ""): Date | undefined {
  const isTime = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) && !Number.isNaN(Date.parse(text));
  return isTime ? new Date(text) : undefined;
}
