import { accessProof } from "../../verify/proofs/access.ts";
import { conntrackProof } from "../../verify/proofs/conntrack.ts";
import { cpuProof } from "../../verify/proofs/cpu.ts";
import { etcdMembersProof } from "../../verify/proofs/etcd-members.ts";
import { gatewayCrdsProof } from "../../verify/proofs/gateway-crds.ts";
import { gatewayStatusProof, routeStatusProof } from "../../verify/proofs/gateway-status.ts";
import { modesProof } from "../../verify/proofs/modes.ts";
import { nodesProof } from "../../verify/proofs/nodes.ts";
import { podSubnetsProof } from "../../verify/proofs/pod-subnets.ts";
import { routesProof } from "../../verify/proofs/routes.ts";
import type { Row } from "../../verify/run.ts";
import { labProofs } from "../lab/verification/own.ts";
import { batches } from "./mutations.ts";

/**
 * Promises that pass in the lab and that no mutation there breaks yet, each with the reason. Simulated
 * transports break every one of them (test/verify/broken.ts).
 */
const cannotBreak: Readonly<Record<string, string>> = Object.fromEntries([
  [nodesProof.promise, "a node that is not Ready takes every other proof with it"],
  [etcdMembersProof.promise, "an only member that is out takes every other proof with it"],
  [podSubnetsProof.promise, "the API server refuses a change of a node's pod subnets"],
  [cpuProof.promise, "the lab's bounds pass everything, for its machine is shared"],
  [conntrackProof.promise, "nf_conntrack_max belongs to the whole machine"],
  [modesProof.promise, "an agent in another mode is an agent that restarts, which takes minutes"],
  [routesProof.promise, "the agent puts a route back that was taken away"],
  [gatewayCrdsProof.promise, "a CRD that is deleted takes its objects with it"],
  [gatewayStatusProof.promise, "the operator repairs it while it is looked at"],
  [routeStatusProof.promise, "the operator repairs it while it is looked at"],
  [accessProof.promise, "not tried on a living cluster yet"],
]);

/** Mutations by promise. */
function mutationsOf(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { mutations } of batches)
    for (const { name, breaks } of mutations)
      for (const { proof } of breaks)
        found.set(proof.promise, [...(found.get(proof.promise) ?? []), name]);
  return found;
}

/** The table promise × mutation, as text. */
export function mutationTable(rows: readonly Row[]): string {
  const known = mutationsOf();
  return rows
    .filter(({ verdict }) => verdict === "pass")
    .map(({ promise }) => {
      const names = known.get(promise) ?? [`none: ${cannotBreak[promise] ?? "?"}`];
      return [promise, ...names.map((name) => `  ${name}`)].join("\n");
    })
    .join("\n");
}

/** Promises that passed, that no mutation breaks, and that have no reason for it. */
export function withoutMutation(rows: readonly Row[]): string[] {
  const known = mutationsOf();
  const own = new Set(labProofs.map(({ promise }) => promise));
  return rows
    .filter(({ verdict, promise }) => verdict === "pass" && !own.has(promise))
    .map(({ promise }) => promise)
    .filter((promise) => !known.has(promise) && !(promise in cannotBreak));
}
