import type { Config } from "../../config/config.ts";
import type { ClusterPlan } from "../../plan/plan.ts";
import { quote } from "../../steps/ssh/arguments.ts";
import { askEach, split } from "../../verify/cluster.ts";
import { UserError } from "../command.ts";
import {
  type Asked,
  type Decision,
  decide,
  type Source,
  type State,
  untouched,
  type Wish,
} from "./decide.ts";
import { type Machine, machinesOf } from "./machines.ts";
import {
  finish,
  first,
  join,
  type Operation,
  receive,
  relist,
  relistAgents,
  salvage,
  stop,
} from "./operations.ts";
import { Copies } from "./targets.ts";

export interface RestoreOptions extends Wish {
  /** Control planes that are gone for good, and are not asked. */
  gone: string[];
}

export interface Restoration {
  /** The control planes that were asked. */
  planes: Machine[];
  /** What was found, a line for each control plane. */
  found: string[];
  operations: Operation[];
  /** What the restore leaves to a person. */
  left: string[];
}

/**
 * Asks every control plane, and lists what is to be done; touches nothing. A run that was killed is
 * taken up by the next one, which finds less to do.
 * @throws UserError where quorum lives, or a control plane cannot be asked or is of another cluster
 */
export async function planRestore(
  config: Config,
  plan: ClusterPlan,
  options: RestoreOptions,
  machines = machinesOf,
): Promise<Restoration> {
  const planes = await machines(plan, "control-plane");
  const names = planes.map(({ name }) => name);
  const strange = options.gone.filter((name) => !names.includes(name));
  if (strange.length > 0)
    throw new UserError(
      `--gone ${strange.join(" ")}: no such control plane; the stack has ${names.join(", ")}`,
    );
  const reached = planes.filter(({ name }) => !options.gone.includes(name));
  const asked = await ask(reached);
  const decision = decide(asked, options);
  const workers = await machines(plan, "worker");
  const joining = asked.filter((one) => isToJoin(one, decision));
  return {
    planes: reached,
    found: [...asked.map(describe), ...options.gone.map((name) => `${name}: gone, not asked`)],
    operations: [
      ...(await beginning(config, asked, decision, options)),
      ...joining.map(({ machine }) => join(machine, decision.machine)),
      ...workers.map((worker) => relist(worker, decision)),
      relistAgents(decision.machine),
      ...[...asked.filter(({ machine }) => machine !== decision.machine), decision].map(
        ({ machine }) => finish(machine),
      ),
    ],
    left: left(asked, decision, options.gone),
  };
}

async function ask(planes: Machine[]): Promise<Asked<Machine>[]> {
  if (planes.length === 0)
    throw new UserError(
      "--gone names every control plane: pin the new machines' host keys in the stack's file, and name only those that no machine has replaced",
    );
  const { answered, silent } = split(await askEach(planes, stateOf));
  if (silent.length > 0) {
    const lines = silent.map(({ of, problem }) => `  ${of.name}: ${problem}`);
    throw new UserError(
      `these control planes do not answer, and may have the cluster's data:\n${lines.join("\n")}\nBring them back, or name those that are gone for good: --gone NAME`,
    );
  }
  return answered.map(({ of, answer }) => ({ machine: of, state: answer }));
}

async function stateOf(machine: Machine): Promise<State> {
  const script = "/usr/local/lib/oslo-cluster/restore.sh";
  const answer = await machine.shell(`[[ ! -e ${script} ]] || bash ${script} state`);
  return { ...untouched, ...(answer.trim() === "" ? {} : (JSON.parse(answer) as Partial<State>)) };
}

function describe({ machine: { name }, state }: Asked): string {
  const { made, prepared, quorum, data, uid, revision, members, phase } = state;
  const parts = made
    ? [
        quorum ? `etcd answers, with ${members} members` : "etcd has no quorum",
        data ? `data of cluster ${uid || "unknown"} at revision ${revision}` : "no data",
      ]
    : [prepared ? "a machine that is prepared, and no control plane yet" : "not prepared"];
  return `${name}: ${[...parts, ...(phase === "none" ? [] : [`an earlier restore has ${phaseWords[phase]}`])].join("; ")}`;
}

const phaseWords = {
  stopped: "stopped it",
  restored: "put its data in place",
  seeded: "put the copy in place",
  serving: "brought it back",
} as const;

/** Whether a control plane is not, or not any more, one of the restored cluster. */
function isToJoin({ machine, state }: Asked<Machine>, decision: Decision<Machine>): boolean {
  if (machine === decision.machine) return false;
  if (decision.from === "nothing" && state.member && state.quorum) return false;
  return state.made || state.prepared;
}

/** Until the first control plane answers. */
async function beginning(
  config: Config,
  asked: readonly Asked<Machine>[],
  decision: Decision<Machine>,
  { source }: RestoreOptions,
): Promise<Operation[]> {
  const { machine, state, from } = decision;
  const others = asked.filter((one) => isToJoin(one, decision) && one.state.made);
  const touched = from === "nothing" ? others : [decision, ...others];
  const saved = touched.filter((one) => one.state.data && one.state.phase === "none");
  const operations = saved.map((one) => salvage(one.machine));
  if (from === "survivor" && saved.length > 1) operations.push(newest(machine, saved));
  if (from === "copy" && source && state.phase !== "seeded") {
    operations.push(receive(machine, await decrypted(config, source, state.knownUid)));
  }
  operations.push(...others.map((one) => stop(one.machine)));
  if (from !== "nothing") operations.push(first(decision));
  return operations;
}

/** A snapshot has what etcd's log held beyond its database, so another one may be the newest now. */
function newest(machine: Machine, saved: readonly Asked<Machine>[]): Operation {
  return {
    on: machine.name,
    does: "compare the revisions of what was saved",
    run: async () => {
      const found = await Promise.all(
        saved.map(async (one) => ({ one, revision: (await stateOf(one.machine)).revision })),
      );
      const own = found.find(({ one }) => one.machine === machine)?.revision ?? 0;
      const newer = found.find(({ revision }) => revision > own);
      if (newer)
        throw new UserError(
          `what ${newer.one.machine.name} has saved is newer, revision ${newer.revision} and not ${own}: run the same command again, and it is restored`,
        );
      return `revision ${own} is the newest`;
    },
  };
}

function left(
  asked: readonly Asked<Machine>[],
  decision: Decision<Machine>,
  gone: readonly string[],
): string[] {
  const unready = asked.filter(
    (one) => one.machine !== decision.machine && !one.state.made && !one.state.prepared,
  );
  const names = [...unready.map(({ machine }) => machine.name), ...gone];
  return [
    ...(names.length > 0 ? [`${names.join(", ")}: to be made by \`pulumi up\``] : []),
    ...(decision.from === "copy"
      ? [
          "what Pulumi made after the copy is gone: `pulumi up --refresh`; where control planes are on new machines, OSLO_CLUSTER_RESTORE=yes pulumi up before it",
        ]
      : []),
  ];
}

/** A pipeline that prints the decrypted set; the key stays on this machine. */
async function decrypted(
  config: Config,
  { from, file, copy, identity }: Source,
  uid: string,
): Promise<Parameters<typeof receive>[1]> {
  const decrypt = `age --decrypt --identity ${quote(identity)}`;
  if (file !== undefined)
    return { what: `the copy ${file}`, pipeline: `${decrypt} ${quote(file)}` };
  const copies = new Copies(config, from);
  const { path, takenAt } = await copies.find(copy, uid);
  return {
    takenAt,
    what: `the copy of ${new Date(takenAt * 1000).toISOString()} from ${copies.name}`,
    pipeline: `${copies.command("cat", copies.at(path)).map(quote).join(" ")} | ${decrypt}`,
  };
}

/** Makes the scripts on the nodes those of this program, then does one thing after the other. */
export async function carryOut(
  { planes, operations }: Restoration,
  say: (line: string) => void,
): Promise<{ answered: number; seconds: number }> {
  const start = performance.now();
  const elapsed = () => Math.round((performance.now() - start) / 100) / 10;
  await Promise.all(planes.map((machine) => machine.claim()));
  let answered = 0;
  for (const [i, { on, does, run, answers }] of operations.entries()) {
    say(`[${i + 1}/${operations.length}] ${on}: ${does}`);
    const said = await run();
    for (const line of said.trim().split("\n").filter(Boolean)) say(`    ${line}`);
    if (answers) answered = elapsed();
  }
  return { answered, seconds: elapsed() };
}
