import { abandoning } from "../../steps/ssh/abandoned.ts";
import { checkName, type OperationContext } from "./context.ts";
import { alone, announced } from "./exclusive.ts";
import {
  type Leftover,
  leftoversOfAbandoned,
  leftoversOfLog,
  leftoversOfState,
  otherRemains,
  type State,
} from "./leftovers.ts";
import { Refusal } from "./refusal.ts";
import { phaseTag, readRecord, stackOf } from "./stack-tags.ts";

export interface DownRequest {
  name: string;
  /** Machines that are gone for good: nothing waits for them. */
  abandon: readonly string[];
  /** What all of it may take, in seconds. */
  seconds: number;
}

/** Of the time allowed, what load balancers and volumes may take at most. */
const objectSeconds = 300;

/**
 * Removes an ephemeral cluster, wherever an earlier run has stopped. What is on a machine that does
 * not answer stays in the stack, which keeps its expiry and what it claims: the next run continues there.
 * @returns What is left; nothing for a cluster that is not there.
 * @throws Refusal for a stack that is not an ephemeral one's.
 */
export async function down(context: OperationContext, request: DownRequest): Promise<Leftover[]> {
  checkName(request.name);
  return await alone(context, request.name, async () => {
    const { backend, files } = context;
    const { name } = request;
    const stack = stackOf(name);
    if (!(await backend.stacks()).includes(stack)) {
      files.remove(stack);
      return [];
    }
    const record = readRecord(name, await backend.tags(stack));
    if (record === undefined)
      throw new Refusal(
        `${stack}: has no expiry, so npm run ephemeral did not make it; pulumi destroy --stack ${stack} removes it`,
      );
    return await announced(context, record, "down", request.seconds, async () => {
      // From here on whoever comes finishes it.
      await backend.setTag(stack, ...phaseTag("down"));
      return await remove(context, request);
    });
  });
}

async function remove(context: OperationContext, request: DownRequest): Promise<Leftover[]> {
  const { backend, files } = context;
  const { name, abandon } = request;
  const stack = stackOf(name);
  const started = context.now().getTime();
  const before = await backend.state(stack);
  refuseStrangers(request, before);
  const objects = await removeObjects(context, request, before);

  let log = "";
  let failure: unknown;
  if ((before.resources ?? []).length > 0) {
    const spent = (context.now().getTime() - started) / 1000;
    await backend
      .destroy(stack, {
        seconds: Math.max(60, request.seconds - spent),
        env: abandoning(abandon),
        onOutput: (text) => {
          log += text;
          context.onOutput(text);
        },
        ...(context.signal ? { signal: context.signal } : {}),
      })
      .catch((error: unknown) => {
        failure = error;
      });
  }
  const after = await backend.state(stack);
  const standing = [...leftoversOfState(name, after), ...otherRemains(name, after)];
  const left = [
    ...objects,
    ...standing,
    ...leftoversOfAbandoned(clusterOf(before) ?? name, before, after, abandon),
    ...leftoversOfLog(clusterOf(before) ?? name, log),
  ];
  // A destroy that failed and names nothing is reported as it is.
  if (failure !== undefined && standing.length === 0) throw failure;
  if (failure !== undefined) context.say(`${name}: ${(failure as Error).message}`);
  if (standing.length > 0) return left;
  await backend.remove(stack);
  files.remove(stack);
  return left;
}

/** A misspelt machine would be waited for as any other. */
function refuseStrangers({ name, abandon }: DownRequest, before: State): void {
  const known = [...new Set(leftoversOfState(name, before).map(({ where }) => where))];
  const strange = abandon.filter((machine) => !known.includes(machine));
  if (strange.length === 0) return;
  const whose = known.length > 0 ? `it has ${known.join(", ")}` : "it has none any more";
  throw new Refusal(`--abandon: ${strange.join(", ")}: no machine of ${name}; ${whose}`);
}

/**
 * While there is an API to ask: not before kubeadm had made one, and not once an earlier run has come to
 * take it away, which asked before that.
 */
async function removeObjects(
  { backend, removeObjects, say }: OperationContext,
  { name, seconds }: DownRequest,
  { resources = [] }: State,
): Promise<Leftover[]> {
  if (!resources.some(({ urn }) => urn.endsWith("::identity"))) return [];
  const controlPlane = resources.find(({ urn }) =>
    urn.includes("oslo-cluster:index:ControlPlane::"),
  );
  // An `up` that failed has no outputs of the stack.
  const kubeconfig =
    controlPlane?.outputs?.kubeconfig ?? (await backend.outputs(stackOf(name))).kubeconfig;
  if (typeof kubeconfig !== "string") return [];
  say(`${name}: load balancers and volumes`);
  return await removeObjects(kubeconfig, Math.min(objectSeconds, seconds / 3));
}

/** The cluster's name, as its machines know it. */
function clusterOf({ resources = [] }: State): string | undefined {
  const { urn } =
    resources.find(({ urn: one }) => one.includes("oslo-cluster:index:Cluster::")) ?? {};
  return urn?.split("::").pop();
}
