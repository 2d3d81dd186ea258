import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, runProcess } from "../../steps/ssh/process.ts";
import type { Leftover } from "./leftovers.ts";

/** Runs kubectl with so many seconds to answer; rejects where it cannot be started or does not end in time. */
export type Kubectl = (args: string[], seconds: number) => Promise<Outcome>;

/** Objects that have something outside the cluster behind them, as `kubectl get --output json` has them. */
interface Found {
  kind: string;
  metadata: { name: string; namespace?: string };
  spec?: {
    type?: string;
    persistentVolumeReclaimPolicy?: string;
    claimRef?: { name: string; namespace: string };
    csi?: { driver: string; volumeHandle: string };
  };
}

/** An API that does not answer is asked again for so long: one that has just lost a control plane cuts connections. */
const patienceSeconds = 30;

const gateways = "gateways.gateway.networking.k8s.io";
const workloads = "cronjobs,jobs,statefulsets,daemonsets,deployments,replicasets";

/**
 * `removeObjects` by a kubectl's command line and a kubeconfig's text, which is a file meanwhile.
 * @param env added to this process's: the kubeconfig asks for its certificate over SSH
 */
export function removeObjectsBy(command: readonly string[], env: Record<string, string> = {}) {
  return async (kubeconfig: string, seconds: number): Promise<Leftover[]> => {
    const directory = mkdtempSync(join(tmpdir(), "oslo-cluster-"));
    const file = join(directory, "kubeconfig");
    writeFileSync(file, kubeconfig, { mode: 0o600 });
    try {
      return await removeObjects((args, limit) => {
        const options = ["--kubeconfig", file, `--request-timeout=${limit}s`];
        const signal = AbortSignal.timeout((limit + 5) * 1000);
        return runProcess([...command, ...options, ...args], { env, signal });
      }, seconds);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  };
}

/**
 * Removes load balancers, volumes and what holds them, as long as the API answers: what a controller
 * has ordered outside is removed only while that controller runs. A destroy asks no API.
 * @param seconds What all of it may take.
 * @returns What is still there, or may be.
 */
export async function removeObjects(kubectl: Kubectl, seconds: number): Promise<Leftover[]> {
  const deadline = Date.now() + seconds * 1000;
  const left = () => Math.max(1, Math.round((deadline - Date.now()) / 1000));
  const patient = patiently(kubectl, Date.now() + 1000 * Math.min(patienceSeconds, seconds));
  const answer = await ask(patient, ["get", "--raw", "/readyz"], Math.min(20, left()));
  if (answer.status !== 0) return [unasked(answer.stderr)];

  const before = await outside(patient, Math.min(30, left()));
  if (!Array.isArray(before)) return [unasked(before.why)];
  if (before.length === 0) return [];
  await removeAll(patient, before, left);
  let remaining = before;
  while (Date.now() < deadline) {
    const now = await outside(kubectl, Math.min(30, left()));
    if (Array.isArray(now)) remaining = now;
    if (remaining.length === 0) return [];
    await new Promise((resolve) => setTimeout(resolve, Math.min(1000, left() * 1000)));
  }
  return remaining.map((one) => leftover(one));
}

/**
 * In the namespaces of what was found alone, and never a namespace as a whole: the controllers that are
 * to remove what they have ordered live in others. What makes an object is removed before it, or it is made
 * again. In kube-system and Cilium's namespaces workloads stay.
 */
async function removeAll(
  kubectl: Kubectl,
  found: readonly Found[],
  left: () => number,
): Promise<void> {
  const remove = async (kinds: string, which: string, namespace: string) => {
    const where = ["--namespace", namespace, "--ignore-not-found", "--wait=false"];
    await ask(kubectl, ["delete", kinds, which, ...where], Math.min(60, left()));
  };
  for (const namespace of new Set(found.flatMap((one) => homeOf(one)?.namespace ?? []))) {
    // By themselves: where their kind is not there, kubectl refuses a whole list.
    await remove(gateways, "--all", namespace);
    const here = found.filter((one) => homeOf(one)?.namespace === namespace);
    if (!/^(kube-|cilium)/.test(namespace)) {
      await remove(workloads, "--all", namespace);
      await remove("pods", "--all", namespace);
    }
    for (const one of here) {
      const kind = one.kind === "Service" ? "service" : "persistentvolumeclaim";
      await remove(kind, homeOf(one)?.name ?? "", namespace);
    }
  }
}

/** A volume lives as long as its claim. */
function homeOf({ kind, metadata, spec }: Found): { name: string; namespace?: string } | undefined {
  return kind === "Service" ? metadata : spec?.claimRef;
}

/** Load balancers and volumes that go with their claim; or why the API does not tell. */
async function outside(kubectl: Kubectl, seconds: number): Promise<Found[] | { why: string }> {
  const args = ["get", "services,persistentvolumes", "--all-namespaces", "--output", "json"];
  const { status, stdout, stderr } = await ask(kubectl, args, seconds);
  if (status !== 0) return { why: stderr };
  const { items } = JSON.parse(stdout) as { items: Found[] };
  return items.filter(
    ({ kind, spec }) =>
      (kind === "Service" && spec?.type === "LoadBalancer") ||
      (kind === "PersistentVolume" && spec?.persistentVolumeReclaimPolicy === "Delete"),
  );
}

function leftover({ kind, metadata: { name, namespace }, spec }: Found): Leftover {
  if (kind === "Service") {
    const what = `load balancer ${namespace}/${name}`;
    return {
      where: "the cluster's network",
      what,
      how: "look for it at your provider, and delete it there",
    };
  }
  const { driver, volumeHandle } = spec?.csi ?? {};
  return {
    where: driver ?? "the cluster's storage",
    what: `volume ${name}${volumeHandle ? ` (${volumeHandle})` : ""}`,
    how: "delete it where it is stored",
  };
}

function unasked(why: string): Leftover {
  const reason = why.trim().split("\n").pop() || "no answer";
  return {
    where: "the cluster's network and storage",
    what: `perhaps load balancers and volumes that a controller had ordered outside (the API did not tell: ${reason})`,
    how: "look for them at your provider; where no such controller ran, there are none",
  };
}

/** Asks again until a moment, in milliseconds since 1970, where there is no answer. That a kind is not there is one. */
function patiently(kubectl: Kubectl, until: number): Kubectl {
  return async (args, seconds) => {
    for (;;) {
      const answer = await ask(kubectl, args, seconds);
      const isAnswered = answer.status === 0 || /have a resource type/.test(answer.stderr);
      if (isAnswered || Date.now() >= until) return answer;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  };
}

/** Never rejects: an API that does not answer is an answer. */
async function ask(kubectl: Kubectl, args: string[], seconds: number): Promise<Outcome> {
  try {
    return await kubectl(args, seconds);
  } catch (error) {
    return { status: 1, stdout: "", stderr: (error as Error).message };
  }
}
