import { readFileSync } from "node:fs";
import { etcdMembersProof } from "../../verify/proofs/etcd-members.ts";
import { hostNamed } from "../lab/facts.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { processesIn } from "../lab/processes.ts";
import { hostNamespace, portOf, segment } from "../lab/segment.ts";
import { run, waitFor } from "../lab/shell.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { proveProduct } from "../lab/verification/verify.ts";
import { type Answer, describeGap, type Gap, lasting, longest, longestGap } from "./api-gap.ts";
import type { Mutation } from "./mutations/mutation.ts";
import { answersOf, hang } from "./probers.ts";

/** How a control plane is lost, and how it comes back. */
export interface Loss {
  name: string;
  /** Proofs that are red before it comes back, and what their reading must name. @default none is asked */
  breaks?: Mutation["breaks"];
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
    breaks: [{ proof: etcdMembersProof, reading: /^cp-\d does not answer, or knows no leader$/ }],
    // Its manifest first: a kubelet starts what has ended again.
    lose: async ({ onHost }, host) => {
      await onHost(host, "mv /etc/kubernetes/manifests/etcd.yaml /root/");
      await signal(host, "etcd", "SIGTERM").catch(() => undefined);
    },
    back: async ({ onHost }, host) =>
      void (await onHost(host, "mv /root/etcd.yaml /etc/kubernetes/manifests/")),
  },
];

/** What a lost disk breaks besides: its member of etcd is named. */
export const lostDisk: Pick<Loss, "name" | "breaks"> = {
  name: "a wiped disk",
  breaks: [{ proof: etcdMembersProof, reading: /^cp-\d has lost its data / }],
};

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
  /** Of each promise that it breaks and that was not red, what it said. */
  unbroken: string[];
}

/** Loses a control plane for half a minute, measures, and waits until it is back. */
export async function measure(
  lab: Lab,
  { name, breaks = [], lose, back }: Loss,
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
  const unbroken = await greenOf(lab, breaks);
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
    unbroken,
  };
}

/** What should be red, and is not. */
async function greenOf({ facts }: Lab, breaks: Mutation["breaks"]): Promise<string[]> {
  if (breaks.length === 0) return [];
  const asked = breaks.map(({ proof }) => proof);
  const rows = await proveProduct(facts, asked);
  return rows
    .filter(({ verdict, reading }, i) => verdict !== "fail" || !breaks[i]?.reading.test(reading))
    .map(({ promise, verdict, reading }) => `${promise}: ${verdict}, ${reading}`);
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
