import type { Config } from "../../config/config.ts";
import { minutesOf } from "../../config/duration.ts";
import type { ClusterPlan } from "../../plan/plan.ts";
import { markerOf } from "../../steps/bundle.ts";
import type { NodeObject } from "../../verify/cluster.ts";
import { leastOfKubelet } from "../../verify/proofs/certificates.ts";
import type { NodeAnswer } from "./answer.ts";
import type { Proved } from "./proved.ts";

/** One line of the status. */
export interface Line {
  what: string;
  /** `open`: it could not be judged, or nobody has asked. `off`: the stack has none, and none is missed. */
  state: "good" | "bad" | "open" | "off";
  says: string;
}

export interface Known {
  config: Config;
  plan: ClusterPlan;
  /** By node: what it said, or why it said nothing. */
  answers: ReadonlyMap<string, NodeAnswer | string>;
  proved?: Proved;
  now: Date;
}

/** All of the status, from what was answered. Pure. */
export function assess(known: Known): Line[] {
  const answered = [...known.answers].flatMap(([name, answer]) =>
    typeof answer === "string" ? [] : [{ name, ...answer }],
  );
  return [
    machines(known),
    ...nodes(known, answered.find(({ nodes }) => nodes !== undefined)?.nodes),
    members(known, answered),
    modes(known, answered.find(({ cilium }) => cilium !== undefined)?.cilium),
    steps(known, answered),
    certificates(known, answered),
    backups(known, answered),
    promises(known),
  ];
}

type Answered = (NodeAnswer & { name: string })[];

function machines({ answers }: Known): Line {
  const silent = [...answers].flatMap(([name, answer]) =>
    typeof answer === "string" ? [`${name}: ${answer}`] : [],
  );
  const cut = [...answers].flatMap(([name, answer]) =>
    typeof answer !== "string" && answer.isCut ? [name] : [],
  );
  const parts = [
    silent.length > 0
      ? `${silent.length} of ${answers.size} do not answer: ${list(silent)}`
      : `${answers.size} answer`,
    ...(cut.length > 0 ? [`not all in time: ${list(cut)}`] : []),
  ];
  return {
    what: "machines",
    state: silent.length + cut.length > 0 ? "open" : "good",
    says: parts.join("; "),
  };
}

function nodes({ config, plan }: Known, objects: NodeObject[] | undefined): Line[] {
  if (objects === undefined) {
    const says = "no control plane has an API server that answers";
    return [{ what: "nodes", state: "open", says }];
  }
  const problems = plan.nodes.flatMap(({ name }) => {
    const object = objects.find(({ metadata }) => metadata.name === name);
    if (object === undefined) return [`${name} is not a node`];
    const ready = object.status.conditions.find(({ type }) => type === "Ready");
    return ready?.status === "True" ? [] : [`${name} is not Ready`];
  });
  const strange = objects
    .filter(({ metadata }) => !plan.nodes.some(({ name }) => name === metadata.name))
    .map(({ metadata }) => `${metadata.name} is not of the stack`);
  const wanted = `v${config.kubernetes.version}`;
  const others = objects
    .filter(({ status }) => status.nodeInfo.kubeletVersion !== wanted)
    .map(({ metadata, status }) => `${metadata.name} ${status.nodeInfo.kubeletVersion}`);
  const found = [...problems, ...strange];
  return [
    {
      what: "nodes",
      state: found.length > 0 ? "bad" : "good",
      says:
        found.length > 0
          ? `${plan.nodes.length - problems.length} of ${plan.nodes.length} Ready: ${list(found)}`
          : `${plan.nodes.length} of ${plan.nodes.length} Ready`,
    },
    {
      what: "versions",
      state: others.length > 0 ? "bad" : "good",
      says: `Kubernetes ${config.kubernetes.version}, Cilium ${config.cilium.version}, containerd ${config.kubernetes.containerd.packageVersion}${others.length > 0 ? `; another kubelet: ${list(others)}` : ""}`,
    },
  ];
}

/** etcd's members, by the cluster that each belongs to: one that lost its data and began again is alone in its own. */
function members({ plan }: Known, answered: Answered): Line {
  const what = "etcd";
  const planes = plan.nodes.filter(({ role }) => role === "control-plane").length;
  const asked = answered.flatMap(({ name, etcd }) => (etcd === undefined ? [] : [{ name, etcd }]));
  const dead = asked.filter(({ etcd }) => etcd === "0" || etcd === "lost");
  const living = asked.filter((one) => !dead.includes(one));
  if (asked.length === 0) return { what, state: "open", says: "no member answers" };
  const ids = [...new Set(living.map(({ etcd }) => etcd))];
  const clusters = ids
    .map((id) => living.filter(({ etcd }) => etcd === id))
    .sort((a, b) => b.length - a.length);
  const [largest = [], ...others] = clusters;
  const found = [
    ...others.flat().map(({ name, etcd }) => {
      const rest = largest.map((one) => one.name).join(", ");
      return `${name} is in cluster ${etcd} and ${rest} in ${largest[0]?.etcd}: one lost its data and began again; replace it`;
    }),
    ...dead.map(({ name, etcd }) =>
      etcd === "lost" ? `${name} has lost its data: replace it` : `${name} does not answer`,
    ),
  ];
  const of = `${living.length} of ${planes} members answer`;
  return {
    what,
    state: found.length > 0 ? "bad" : living.length < planes ? "open" : "good",
    says: found.length > 0 ? `${of}: ${list(found)}` : `${of}, in one cluster`,
  };
}

/** What was asked for, against the agents' own configuration. */
function modes({ config }: Known, given: Record<string, string> | undefined): Line {
  if (given === undefined) {
    return { what: "modes", state: "open", says: "the agents' configuration could not be read" };
  }
  const { mode, fallback } = config.cilium.loadBalancer;
  const actual = {
    routing: given["routing-mode"],
    proxy: given["kube-proxy-replacement"],
    balancer: given["bpf-lb-mode"],
  };
  const balancers: string[] = fallback === "snat" ? [mode, "snat"] : [mode];
  const isGood =
    actual.routing === "native" &&
    actual.proxy === "true" &&
    balancers.includes(actual.balancer ?? "");
  const says = `routing ${actual.routing}, kube-proxy replacement ${actual.proxy}, load balancer ${actual.balancer}`;
  return { what: "modes", state: isGood ? "good" : "bad", says };
}

function steps({ plan }: Known, answered: Answered): Line {
  const told = answered.filter(({ steps }) => steps !== undefined);
  const differ = told.flatMap(({ name, steps }) => {
    const node = plan.nodes.find((candidate) => candidate.name === name);
    const names = Object.values(node?.steps ?? {})
      .filter((document) => steps?.get(document.step) !== markerOf(document))
      .map(({ step }) => step);
    return names.length > 0 ? [`${name} (${names.join(", ")})`] : [];
  });
  return {
    what: "steps",
    state: differ.length > 0 ? "bad" : told.length > 0 ? "good" : "open",
    says:
      differ.length > 0
        ? `not what the plan has: ${list(differ)}; pulumi up applies it`
        : told.length > 0
          ? `as the plan has them on ${told.length} machines`
          : "no machine answers",
  };
}

function certificates({ config, now }: Known, answered: Answered): Line {
  const all = answered
    .flatMap(({ name, certificates = [] }) => certificates.map((one) => ({ name, ...one })))
    .sort((a, b) => a.expires.getTime() - b.expires.getTime());
  const [first] = all;
  if (first === undefined) {
    return { what: "certificates", state: "open", says: "none could be read" };
  }
  const left = (first.expires.getTime() - now.getTime()) / 1000;
  const { validity, renewBefore } = config.kubernetes.certificates;
  // kubeadm's are renewed long before, and a kubelet renews its own: less needs a person.
  const least = 60 * Math.min(minutesOf(renewBefore) / 2, minutesOf(validity) * leastOfKubelet);
  const says = left < 0 ? `expired ${age(-left)} ago` : `${age(left)} left`;
  return {
    what: "certificates",
    state: left < least ? "bad" : "good",
    says: `${says}: ${first.path} on ${first.name}`,
  };
}

function backups({ config, now }: Known, answered: Answered): Line {
  const own = answered.flatMap(({ backup }) => (backup === undefined ? [] : [backup]));
  if (own.length === 0) {
    return config.backup.targets.length === 0
      ? { what: "backup", state: "off", says: "not enabled: backup.targets is empty" }
      : { what: "backup", state: "open", says: "no machine makes one" };
  }
  const last = Math.max(...own.map(({ lastSuccess }) => lastSuccess ?? 0));
  const error = own.find((one) => one.error)?.error;
  const ago = last > 0 ? `the last ${age(now.getTime() / 1000 - last)} ago` : "none succeeded yet";
  return {
    what: "backup",
    state: last === 0 || error ? "bad" : "good",
    says: error ? `${ago}; ${error}` : ago,
  };
}

function promises({ proved, now }: Known): Line {
  if (proved === undefined) {
    const says = "not proved from this machine: oslo-cluster verify does it";
    return { what: "promises", state: "open", says };
  }
  const when = `proved ${age((now.getTime() - proved.at.getTime()) / 1000)} ago from this machine`;
  const of = (verdict: string) => proved.rows.filter((row) => row.verdict === verdict);
  const [failed, open] = [of("fail"), of("not proved")];
  const broken = failed.filter(({ answered }) => answered);
  const silent = failed.filter(({ answered }) => !answered);
  const parts = [
    `${of("pass").length} passed`,
    ...(broken.length > 0 ? [`broken: ${list(broken.map(({ promise }) => promise))}`] : []),
    ...(silent.length > 0
      ? [`without an answer: ${list(silent.map(({ promise }) => promise))}`]
      : []),
    ...(open.length > 0 ? [`not proved: ${list(open.map(({ promise }) => promise))}`] : []),
  ];
  return {
    what: "promises",
    state: broken.length > 0 ? "bad" : open.length + silent.length > 0 ? "open" : "good",
    says: `${when}: ${parts.join("; ")}`,
  };
}

function age(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.round(seconds / 3600)} h`
    : `${Math.floor(seconds / 86_400)} days`;
}

function list(items: readonly string[]): string {
  const most = 3;
  const more = items.length > most ? [`and ${items.length - most} more`] : [];
  return [...items.slice(0, most), ...more].join("; ");
}
