import type { Proof } from "../../../verify/proof.ts";
import { hostNamed } from "../../lab/facts.ts";
import { filterPort, type PortFilter, takeXdp } from "../../lab/segment.ts";
import type { Lab } from "../../lab/verification/proof.ts";

/** Something that breaks promises, and the proofs that must see it. */
export interface Mutation {
  name: string;
  /** Every proof that turns red, and what its reading must name. */
  breaks: readonly { proof: Proof; reading: RegExp }[];
  /** Proofs that it breaks or not, by where the scheduler has put pods. @default none */
  mayBreak?: readonly Proof[];
  /** Ends when it is in force. */
  make(lab: Lab): Promise<unknown>;
  /** Ends when it is no more. */
  undo(lab: Lab): Promise<unknown>;
}

/**
 * Mutations that break different promises or name different nodes, so that one `verify` judges them all. They are made
 * at the same time, and undone so.
 */
export interface Batch {
  name: string;
  mutations: readonly Mutation[];
  /** What is asked. @default every promise */
  asked?: readonly Proof[];
}

export type Change = Pick<Mutation, "make" | "undo">;

/** kubectl on a control plane, as the administrator. */
export const admin = "kubectl --kubeconfig /etc/kubernetes/admin.conf";

/** A change on a host, and the command that takes it back. */
export function on(host: string, make: string, undo: string): Change {
  return {
    make: ({ onHost }) => onHost(host, make),
    undo: ({ onHost }) => onHost(host, undo),
  };
}

/** The port of the segment that a host is attached to, filtered as a provider's may be. */
export function onPort(name: string, filter: PortFilter): Change {
  const set = ({ facts }: Lab, wanted: PortFilter | undefined) =>
    filterPort(hostNamed(facts, name), wanted);
  return { make: (lab) => set(lab, filter), undo: (lab) => set(lab, undefined) };
}

/** The port of the segment that a host is attached to, which no longer takes what the host's XDP sends back. */
export function withoutXdpOnPort(name: string): Change {
  const set = ({ facts }: Lab, wanted: boolean) => takeXdp(hostNamed(facts, name), wanted);
  return { make: (lab) => set(lab, false), undo: (lab) => set(lab, true) };
}

/** Objects that somebody makes, and that are deleted again. */
export function withObjects(...objects: readonly object[]): Change {
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  const kubectl = (verb: string) => `${admin} ${verb} -f - <<'END'\n${list}\nEND`;
  return on("cp-1", kubectl("create"), kubectl("delete --ignore-not-found"));
}

/** Takes an object away and puts it back as it was. */
export function withoutObject(...kindAndName: string[]): Change {
  let saved = "";
  return {
    async make({ kubectl }) {
      saved = await bare(kubectl, kindAndName);
      await kubectl("delete", ...kindAndName);
    },
    // Nothing to put back where nothing was taken away.
    undo: async ({ onHost }) =>
      saved && onHost("cp-1", `${admin} create -f - <<'END'\n${saved}\nEND`),
  };
}

/** Changes an object's spec by operations of a JSON patch, and puts the spec back as it was. */
export function withPatch(kindAndName: string[], ...operations: readonly object[]): Change {
  let saved: object | undefined;
  const patch = ({ kubectl }: Lab, wanted: readonly object[]) =>
    kubectl("patch", ...kindAndName, "--type=json", "-p", JSON.stringify(wanted));
  return {
    async make(lab) {
      saved = JSON.parse(await lab.kubectl("get", ...kindAndName, "-o", "json")).spec;
      await patch(lab, operations);
    },
    undo: async (lab) => saved && patch(lab, [{ op: "replace", path: "/spec", value: saved }]),
  };
}

/** An object as a person would write it, without what the API server adds. */
async function bare(kubectl: Lab["kubectl"], kindAndName: string[]): Promise<string> {
  const object = JSON.parse(await kubectl("get", ...kindAndName, "-o", "json"));
  const { name, namespace, labels, annotations } = object.metadata;
  object.metadata = { name, namespace, labels, annotations };
  delete object.status;
  return JSON.stringify(object);
}

/** What selects the pod of a node's agent. */
export const agentOn = (node: string) => [
  ...["-n", "kube-system", "-l", "k8s-app=cilium"],
  `--field-selector=spec.nodeName=${node}`,
];

/** Runs a shell command in the agent of a node. @param node default: worker-1 */
export async function inAgent(
  { kubectl }: Lab,
  command: string,
  node = "worker-1",
): Promise<string> {
  const name = ["-o", "jsonpath={.items[0].metadata.name}"];
  const pod = await kubectl("get", "pods", ...agentOn(node), ...name);
  const inside = ["-c", "cilium-agent", "--", "sh", "-c", command];
  return kubectl("-n", "kube-system", "exec", pod, ...inside);
}
