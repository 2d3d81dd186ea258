import { checkName, type OperationContext, records } from "./context.ts";
import { deriveSections } from "./derive.ts";
import { alone, announced } from "./exclusive.ts";
import { allocate, clashes, type Lease } from "./leases.ts";
import { Refusal } from "./refusal.ts";
import { claimsTag, type EphemeralRecord, readRecord, stackOf, tagsOf } from "./stack-tags.ts";
import type { Template } from "./template.ts";

export interface UpRequest {
  name: string;
  owner: string;
  template: Template;
  /** From now, in milliseconds; a second `up` prolongs. */
  ttl: number;
  /** What the engine's run may take, in seconds. */
  seconds: number;
}

/** How often machines are chosen again when another machine has chosen the same at the same moment. */
const attempts = 6;

/**
 * Makes an ephemeral cluster, or brings one to its template again and prolongs it. What it takes is on
 * record, with its expiry, before anything is made: a run that is killed anywhere leaves what `reap` removes.
 * @throws Refusal where there is no room, or the cluster cannot be.
 */
export async function up(context: OperationContext, request: UpRequest): Promise<EphemeralRecord> {
  checkName(request.name);
  return await alone(context, request.name, async () => {
    const { backend, files } = context;
    const stack = stackOf(request.name);
    const former = await readFormer(context, request.name);
    const { record, sections } = await claim(context, request, former);
    const { operation } = former?.record ?? {};
    const known = { name: record.name, ...(operation ? { operation } : {}) };
    return await announced(context, known, "up", request.seconds, async () => {
      files.write(stack, sections);
      const { seconds } = request;
      const { onOutput, signal } = context;
      await backend.up(stack, { seconds, onOutput, ...(signal ? { signal } : {}) });
      return record;
    });
  });
}

/** The cluster as it is. */
interface Former {
  record: EphemeralRecord;
  /** It has resources: what it claims is its own for certain. */
  isSettled: boolean;
}

async function readFormer(
  { backend }: OperationContext,
  name: string,
): Promise<Former | undefined> {
  const stack = stackOf(name);
  if (!(await backend.stacks()).includes(stack)) return undefined;
  const record = readRecord(name, await backend.tags(stack));
  if (record?.phase === "down")
    throw new Refusal(
      `${name}: is being taken down; finish that with: npm run ephemeral -- down ${name}`,
    );
  const isEmpty = ((await backend.state(stack)).resources ?? []).length === 0;
  if (record === undefined && !isEmpty)
    throw new Refusal(
      `${stack}: a stack with resources and without an expiry, which npm run ephemeral did not make; take another name`,
    );
  return record && { record, isSettled: !isEmpty };
}

/**
 * Chooses machines and a slot, writes them down, and looks again: who finds that another has chosen the
 * same withdraws, waits a little, and chooses again. So two machines that share a backend and nothing else
 * never go on with the same; on one machine a lock has them choose one after the other.
 */
async function claim(
  context: OperationContext,
  request: UpRequest,
  former: Former | undefined,
): Promise<{ record: EphemeralRecord; sections: Record<string, unknown> }> {
  const { backend } = context;
  const { name, owner, template, ttl } = request;
  const stack = stackOf(name);
  await using _lock = await context.locks.sharing();
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const lease = allocate(template, await others(context, name), former?.record.claims);
    if (former?.isSettled) refuseAnother(former.record, lease);
    const sections = deriveSections(template, name, lease);
    const expiresAt = new Date(context.now().getTime() + ttl);
    const record: EphemeralRecord = { name, owner, expiresAt, phase: "up", claims: lease.claims };
    if (!(await backend.stacks()).includes(stack)) await backend.create(stack);
    const { operation } = former?.record ?? {};
    for (const tag of tagsOf({ ...record, ...(operation ? { operation } : {}) }))
      await backend.setTag(stack, ...tag);
    const rivals = (await others(context, name)).filter(
      (other) => clashes(lease.claims, other.claims).length > 0,
    );
    // A rival of a living cluster sees it, and withdraws.
    if (rivals.length === 0 || former?.isSettled) return { record, sections };
    await backend.setTag(stack, ...claimsTag([]));
    context.say(
      `${name}: ${rivals.map((rival) => rival.name).join(", ")} chose the same; once more`,
    );
    await context.pause(1000 * attempt * (1 + 4 * Math.random()));
  }
  throw new Refusal(`${name}: others chose the same ${attempts} times; run again`);
}

async function others({ backend }: OperationContext, name: string): Promise<EphemeralRecord[]> {
  return (await records(backend)).flatMap(({ record }) =>
    record && record.name !== name ? [record] : [],
  );
}

/** A living cluster does not move. */
function refuseAnother({ name, claims }: EphemeralRecord, lease: Lease): void {
  if ([...claims].sort().join() === [...lease.claims].sort().join()) return;
  throw new Refusal(
    `${name}: is on other machines or in another slot than its template gives now; take it down first: npm run ephemeral -- down ${name}`,
  );
}
