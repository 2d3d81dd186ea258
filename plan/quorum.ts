import { formatProblem, type Problem } from "../config/problem.ts";
import type { NodePlan } from "./plan.ts";

/** Control planes by name, with what makes each that machine and no other. */
export type ControlPlanes = Record<string, string>;

export function controlPlanesOf(nodes: readonly NodePlan[]): ControlPlanes {
  const controlPlanes = nodes.filter(({ role }) => role === "control-plane");
  return Object.fromEntries(controlPlanes.map((node) => [node.name, identityOf(node)]));
}

/** Another one for each machine that has a node's name: a guest's identity, or the host key that is pinned. */
export function identityOf({ guest, reach }: Pick<NodePlan, "guest" | "reach">): string {
  return guest?.identity ?? reach.hostKey ?? "";
}

/** What a change does to the members of etcd. */
export interface MemberChange {
  /** The same machines as before. */
  stay: string[];
  /** Other machines under the same name: each leaves before anything else is done, and joins again. */
  replaced: string[];
  /** They leave when all else is done, one at a time. */
  removed: string[];
}

export function memberChange(before: ControlPlanes, after: ControlPlanes): MemberChange {
  const names = Object.keys(before);
  return {
    stay: names.filter((name) => after[name] === before[name]),
    replaced: names.filter((name) => name in after && after[name] !== before[name]),
    removed: names.filter((name) => !(name in after)),
  };
}

/**
 * Why a change would lose etcd's data or its majority; empty where its members leave and join one at a time.
 * @param before Without those that are gone for good: what they held is lost already.
 */
export function quorumProblems(before: ControlPlanes, after: ControlPlanes): Problem[] {
  const names = Object.keys(before);
  const { stay, replaced } = memberChange(before, after);
  if (names.length > 0 && stay.length === 0) {
    const [first] = names;
    return [
      {
        path: "nodes",
        value: names.join(", "),
        why:
          names.length === 1
            ? "the only control plane is removed or re-created: etcd's data is lost with it"
            : "every control plane is removed or re-created: etcd's data is lost with them",
        fix:
          names.length === 1
            ? `keep ${first}, add two others, and take it out or replace it in the next \`up\``
            : `keep the others, and replace one at a time: each when the \`up\` before it has succeeded`,
      },
    ];
  }
  if (replaced.length <= 1) return [];
  return [
    {
      path: "nodes",
      value: replaced.join(", "),
      why: `${replaced.length} of ${names.length} control planes are re-created at once: etcd loses its majority where none is back before the next leaves`,
      fix: "replace one at a time: each when the `up` before it has succeeded",
    },
  ];
}

/** The same, a line each, as the errors of a stack's file are. @param source What to call the file. */
export function quorumErrors(
  before: ControlPlanes,
  after: ControlPlanes,
  source: string,
): string[] {
  return quorumProblems(before, after).map((problem) => `${source}: ${formatProblem(problem)}`);
}
