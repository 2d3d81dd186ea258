import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { joinCgroup } from "../lab/hosts/hosts.ts";
import { runDirectory } from "../lab/paths.ts";
import { killAll, logFile, objectsOf, runningProcess, startProcess } from "../lab/processes.ts";
import { hostNamespace } from "../lab/segment.ts";
import { inNamespace, waitFor } from "../lab/shell.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { type Answer, type Gap, longest, longestGap } from "./api-gap.ts";

// Clients of the API on hosts of the lab, each through its node's own balancer: api-gap.ts is what runs there.

/** Starts a client on each of the hosts. */
export async function startProbers({ onHost }: Lab, probers: readonly string[]): Promise<void> {
  const admin = (rest: string) =>
    onHost("cp-1", `kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system ${rest}`);
  await admin("create serviceaccount api-gap");
  await admin("create role api-gap --verb=get,list,watch,patch --resource=configmaps");
  await admin("create rolebinding api-gap --role=api-gap --serviceaccount=kube-system:api-gap");
  const [ca, token] = ["ca.crt", "token"].map((name) => join(runDirectory, `api-gap-${name}`));
  await writeFile(ca as string, await onHost("cp-1", "cat /etc/kubernetes/pki/ca.crt"));
  const minted = await admin("create token api-gap --duration=10h");
  await writeFile(token as string, minted, { mode: 0o600 });
  const script = join(import.meta.dirname, "api-gap.ts");
  for (const host of probers) {
    await admin(`create configmap api-gap-${host}`);
    const command = [process.execPath, script, `api-gap-${host}`, ca as string, token as string];
    // A client of the host: its network, and its share of the processor.
    await startProcess(`api-gap-${host}`, inNamespace(hostNamespace(host), command));
    await joinCgroup(host, runningProcess(`api-gap-${host}`) as number);
  }
  for (const host of probers) {
    await waitFor(`the client on ${host} to be answered`, 60, () =>
      (["read", "write", "watch"] as const).every((kind) =>
        answersOf(host).some((one) => one.kind === kind && one.error === undefined),
      ),
    );
  }
}

/** Ends them, and removes what they used. */
export async function stopProbers({ onHost }: Lab, probers: readonly string[]): Promise<void> {
  const pids = probers.flatMap((host) => runningProcess(`api-gap-${host}`) ?? []);
  await killAll("the clients", pids);
  const names = probers.map((host) => `configmap/api-gap-${host}`).join(" ");
  await onHost(
    "cp-1",
    `kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system delete ${names} serviceaccount/api-gap role/api-gap rolebinding/api-gap`,
  );
}

/** The longest time between two moments in which one of the clients had no answer of a kind. */
export function worstGap(
  probers: readonly string[],
  kind: Answer["kind"],
  from: number,
  until: number,
): Gap {
  return longest(
    probers.map((host) => {
      const all = answersOf(host);
      const those = all.filter((one) => one.kind === kind);
      return longestGap(those, all, from, until);
    }),
  );
}

/** What a host's client has printed so far. */
export function answersOf(host: string): Answer[] {
  return objectsOf<Answer>(readFileSync(logFile(`api-gap-${host}`), "utf8"));
}

/** Opens watches again until some hang on a control plane. @returns these, by the host of their client */
export async function hang(
  probers: readonly string[],
  host: string,
): Promise<Map<string, number[]>> {
  const found = () =>
    new Map(probers.map((prober) => [prober, watchesOn(answersOf(prober), host)] as const));
  const some = () => [...found().values()].some((watches) => watches.length > 0);
  await waitFor(`a watch to hang on ${host}`, 60, async () => {
    if (some()) return true;
    for (const prober of probers)
      process.kill(runningProcess(`api-gap-${prober}`) as number, "SIGUSR2");
    await new Promise((resolve) => setTimeout(resolve, 2000));
    return some();
  });
  return found();
}

/** The watches whose last event came from a control plane. */
function watchesOn(answers: readonly Answer[], host: string): number[] {
  const last = new Map(
    answers.filter(({ by }) => by !== undefined).map(({ watch, by }) => [watch, by]),
  );
  return [...last].flatMap(([watch, by]) => (by === host && watch !== undefined ? [watch] : []));
}
