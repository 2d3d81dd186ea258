import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hostNamed } from "../lab/facts.ts";
import { joinCgroup } from "../lab/hosts/hosts.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { runDirectory } from "../lab/paths.ts";
import {
  killAll,
  logFile,
  objectsOf,
  processesIn,
  runningProcess,
  startProcess,
} from "../lab/processes.ts";
import { hostNamespace, portOf, segment } from "../lab/segment.ts";
import { inNamespace, run, waitFor } from "../lab/shell.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { type Answer, type Gap, lasting, longest, longestGap } from "./api-gap.ts";

/** How a control plane is lost, and how it comes back. */
export interface Loss {
  name: string;
  lose(lab: Lab, host: string): Promise<void>;
  back(lab: Lab, host: string): Promise<void>;
}

const port = ({ facts }: Lab, host: string) => [
  ...["-n", segment.netns, "link", "set"],
  portOf(hostNamed(facts, host)),
];

/** Signals the processes of a program in a host. */
async function signal(host: string, program: string, name: NodeJS.Signals): Promise<void> {
  const of = (pid: number) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    } catch {
      return ""; // it has ended
    }
  };
  const found = (await processesIn(hostNamespace(host))).filter((pid) => of(pid) === program);
  if (found.length === 0) throw new Error(`no ${program} runs in ${host}`);
  for (const pid of found) process.kill(pid, name);
}

const hungApi = "kube-apiserver".slice(0, 15);

export const losses: readonly Loss[] = [
  {
    name: "its power",
    lose: (_, host) => infrastructure.stopHost(host),
    back: (_, host) => infrastructure.startHost(host),
  },
  {
    name: "its link",
    lose: async (lab, host) => void (await run("ip", [...port(lab, host), "down"])),
    back: async (lab, host) => void (await run("ip", [...port(lab, host), "up"])),
  },
  {
    name: "a hung API server",
    lose: (_, host) => signal(host, hungApi, "SIGSTOP"),
    back: (_, host) => signal(host, hungApi, "SIGCONT"),
  },
  {
    name: "a stopped etcd",
    // Its manifest first: a kubelet starts what has ended again.
    lose: async ({ onHost }, host) => {
      await onHost(host, "mv /etc/kubernetes/manifests/etcd.yaml /root/");
      await signal(host, "etcd", "SIGTERM").catch(() => undefined);
    },
    back: async ({ onHost }, host) =>
      void (await onHost(host, "mv /root/etcd.yaml /etc/kubernetes/manifests/")),
  },
];

/** What was measured of one loss: the worst of all nodes that asked. */
export interface Measured {
  loss: string;
  /** The control plane that was lost, and whether etcd was led by it. */
  host: string;
  led: boolean;
  /** When it was lost, in seconds since 1970. */
  from: number;
  read: Gap;
  write: Gap;
  /** Of watches that hung on it, and how many these were. */
  watch: Gap;
  watches: number;
  /** Other nodes that were NotReady meanwhile. */
  notReady: string[];
}

/** Loses a control plane for half a minute, measures, and waits until it is back. */
export async function measure(
  lab: Lab,
  { name, lose, back }: Loss,
  host: string,
  probers: readonly string[],
): Promise<Measured> {
  const survivor = probers.find((prober) => prober !== host && prober.startsWith("cp-")) as string;
  const before = await conditions(lab, survivor);
  const led = (await leader(lab, survivor)) === host;
  const hung = await hang(probers, host);
  const from = Date.now() / 1000;
  await lose(lab, host);
  await new Promise((resolve) => setTimeout(resolve, 30_000));
  const until = Date.now() / 1000;
  const after = await conditions(lab, survivor);
  const gaps = probers.map((prober) => {
    const answers = answersOf(prober);
    const of = (kind: Answer["kind"], watch?: number) => {
      const those = answers.filter((one) => one.kind === kind && one.watch === watch);
      return longestGap(those, answers, from, until);
    };
    const watches = (hung.get(prober) ?? []).map((watch) => of("watch", watch));
    return { read: of("read"), write: of("write"), watches };
  });
  await back(lab, host);
  await isBack(lab, host, survivor);
  const watches = gaps.flatMap((gap) => gap.watches);
  return {
    loss: name,
    host,
    led,
    from,
    read: longest(gaps.map(({ read }) => read)),
    write: longest(gaps.map(({ write }) => write)),
    watch: longest(watches),
    watches: watches.length,
    notReady: [...after]
      .filter(([node, { since }]) => node !== host && since !== before.get(node)?.since)
      .map(([node]) => node),
  };
}

/** Waits until a control plane serves again and, by another one's word, every node is Ready. */
export async function isBack(lab: Lab, host: string, survivor: string): Promise<void> {
  await waitFor(`${host} to be back`, 240, async () => {
    const ready = "curl -sk --max-time 5 https://127.0.0.1:6443/readyz || true";
    return (await lab.onHost(host, ready).catch(() => "")).trim() === "ok";
  });
  await waitFor("all nodes to be Ready", 180, async () =>
    [...(await conditions(lab, survivor)).values()].every(({ status }) => status === "True"),
  );
}

/** One line for a person. */
export function describeLoss({ loss, host, led, read, write, ...rest }: Measured): string {
  return `${loss} of ${host}${led ? " (etcd's leader)" : ""}: read ${describeGap(read)}, write ${describeGap(write)}, ${rest.watches} watches ${describeGap(rest.watch)}${rest.notReady.length > 0 ? `, NotReady: ${rest.notReady.join(", ")}` : ""}`;
}

export function describeGap({ seconds, idle }: Gap): string {
  const less = idle > 0 ? `, of which the client asked nothing for ${idle.toFixed(1)} s` : "";
  return `${seconds.toFixed(1)} s${less}`;
}

/** Median and worst of several losses of each kind. */
export function summarize(all: readonly Measured[]): string {
  const lines = [...new Set(all.map(({ loss }) => loss))].map((loss) => {
    const those = all.filter((one) => one.loss === loss);
    const of = (key: "read" | "write" | "watch") => {
      const sorted = those.map((one) => lasting(one[key])).sort((a, b) => a - b);
      const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
      return `${key} ${median.toFixed(1)} s, at worst ${(sorted.at(-1) ?? 0).toFixed(1)} s`;
    };
    return `${loss} (${those.length}): ${of("read")}; ${of("write")}; ${of("watch")}`;
  });
  return lines.join("\n");
}

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
async function hang(probers: readonly string[], host: string): Promise<Map<string, number[]>> {
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

/** Of each node the state of Ready, and since when. Asked again where a control plane that comes back cuts it off. */
function conditions(lab: Lab, by: string) {
  return waitFor(`the nodes as ${by} sees them`, 60, () => readyOf(lab, by).catch(() => undefined));
}

async function readyOf({ onHost }: Lab, by: string) {
  const template =
    '{range .items[*]}{.metadata.name} {range .status.conditions[?(@.type=="Ready")]}{.status} {.lastTransitionTime}{end}{"\\n"}{end}';
  const lines = await onHost(
    by,
    `kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o jsonpath='${template}'`,
  );
  return new Map(
    lines
      .trim()
      .split("\n")
      .map((line) => {
        const [name = "", status = "", since = ""] = line.split(" ");
        return [name, { status, since }];
      }),
  );
}

async function leader({ onHost }: Lab, by: string): Promise<string> {
  const script = `bash -c 'source /usr/local/lib/oslo-cluster/lib.sh; source /usr/local/lib/oslo-cluster/etcd.sh; etcd maintenance/status | jq -r .leader; etcd_members'`;
  const [id, ...members] = (await onHost(by, script)).trim().split("\n");
  return members.find((line) => line.split("\t")[0] === id)?.split("\t")[1] ?? "nobody";
}
