import { cpuProof } from "../../../verify/proofs/cpu.ts";
import { etcdMembersProof } from "../../../verify/proofs/etcd-members.ts";
import { kubeletCertificatesProof } from "../../../verify/proofs/kubelet-certificates.ts";
import { modesProof } from "../../../verify/proofs/modes.ts";
import { secretsAtRestProof } from "../../../verify/proofs/secrets-at-rest.ts";
import { serviceAccountsProof } from "../../../verify/proofs/service-accounts.ts";
import { xdpProof } from "../../../verify/proofs/xdp.ts";
import type { Row } from "../../../verify/run.ts";
import { labProofs } from "../../lab/verification/own.ts";
import { batches } from "./batches.ts";

/** As many ways as must turn each promise red. */
const enough = 2;

/**
 * Promises that pass in the lab and that fewer mutations break there, each with the reason. Simulated transports
 * break them (test/verify/broken.ts).
 */
const cannotBreak: Readonly<Record<string, string>> = {
  [cpuProof.promise]:
    "CPUs belong to all that runs on the machine, so the lab's bounds pass everything",
  [etcdMembersProof.promise]: "an only member that is out takes every other proof with it",
  [kubeletCertificatesProof.promise]: "a kubelet takes no other certificate by itself",
  [modesProof.promise]: "an agent in another mode is an agent that restarts, which takes minutes",
  [serviceAccountsProof.promise]: "the policy sets it at every change, so that it must be away",
  [xdpProof.promise]: "an agent attaches its program again only as it starts, which takes minutes",
  [secretsAtRestProof.promise]: "without encryption is an API server that restarts",
};

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
      const why = cannotBreak[promise];
      const names = [...(known.get(promise) ?? []), ...(why ? [`no more: ${why}`] : [])];
      return [promise, ...names.map((name) => `  ${name}`)].join("\n");
    })
    .join("\n");
}

/** Promises that passed, that fewer than two mutations break, and that have no reason for it. */
export function tooFewMutations(rows: readonly Row[]): string[] {
  const known = mutationsOf();
  const own = new Set(labProofs.map(({ promise }) => promise));
  return rows
    .filter(({ verdict, promise }) => verdict === "pass" && !own.has(promise))
    .map(({ promise }) => promise)
    .filter((promise) => !(promise in cannotBreak))
    .filter((promise) => (known.get(promise) ?? []).length < enough);
}
