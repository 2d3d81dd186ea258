import type { Row } from "../../../verify/run.ts";

/** What this machine's lab cannot prove, by promise, each with the reason that is not the product's. */
export const unproven: Readonly<Record<string, string>> = {
  "Pods are paced by the bandwidth manager, with BBR where that was asked for":
    "its qdisc is net.core.default_qdisc, which belongs to the whole machine",
  "What pods say to pods on other nodes is encrypted, where that was asked for":
    "WireGuard needs its kernel module, which a shared kernel may not have",
  "The DNS cache of a pod's own node answers it":
    "NodeLocal DNSCache's image is not made of a Go module that a proxy serves",
  "The cluster's state is copied away from its nodes, and the newest copy is young":
    "the lab's stack has no target; backups are proved against targets of their own",
  "The newest copy has been restored in a rehearsal":
    "the lab's stack has no target; backups are proved against targets of their own",
  "One control plane has the API server's virtual address, and its API server is ready":
    "the lab's stack has one control plane; takeovers are proved between network namespaces",
  "The gateway serves, and splits requests by weight":
    "Cilium's Envoy has filters of its own and is no Go module",
};

/** Rows that neither pass nor fail, less those that are known. */
export function unexpectedlyUnproven(rows: readonly Row[]): string[] {
  return rows
    .filter(({ verdict }) => verdict !== "pass" && verdict !== "fail")
    .filter(({ promise }) => !(promise in unproven))
    .map(({ promise, reading }) => `${promise}: ${reading}`);
}

/** Those of the list that have passed: the list is too long. */
export function provenAfterAll(rows: readonly Row[]): string[] {
  return rows
    .filter(({ verdict, promise }) => verdict === "pass" && promise in unproven)
    .map(({ promise }) => promise);
}
