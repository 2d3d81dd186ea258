import type { Proof } from "../../verify/proof.ts";
import { dsrProof } from "../../verify/proofs/dsr.ts";
import { kubeProxyProof } from "../../verify/proofs/kube-proxy.ts";
import { overlayProof } from "../../verify/proofs/overlay.ts";
import { podTrafficProof } from "../../verify/proofs/pod-traffic.ts";
import { reversePathProof } from "../../verify/proofs/reverse-path.ts";
import { sysctlsProof } from "../../verify/proofs/sysctls.ts";
import { filterPort, type PortFilter } from "../lab/segment.ts";
import type { Lab } from "../lab/verification/proof.ts";

/** Something that breaks a promise, and the proof that must see it. */
export interface Mutation {
  name: string;
  proof: Proof;
  /** What the failed reading must name. */
  reading: RegExp;
  /** Without Cilium's images there is nothing to break. */
  needsDatapath: boolean;
  make(lab: Lab): Promise<unknown>;
  undo(lab: Lab): Promise<unknown>;
}

/** A change on worker-1, and the command that takes it back. */
function onWorker(make: string, undo: string): Pick<Mutation, "make" | "undo" | "needsDatapath"> {
  return {
    needsDatapath: false,
    make: ({ onHost }) => onHost("worker-1", make),
    undo: ({ onHost }) => onHost("worker-1", undo),
  };
}

/** The port of the segment that worker-1 hangs on, filtered as a provider's may be. */
function onPort(filter: PortFilter): Pick<Mutation, "make" | "undo" | "needsDatapath"> {
  const set = async ({ facts }: Lab, wanted: PortFilter | undefined) => {
    const worker = facts.hosts.find(({ name }) => name === "worker-1");
    if (worker !== undefined) await filterPort(worker, wanted, "10.244.0.0/16");
  };
  return {
    needsDatapath: true,
    make: (lab) => set(lab, filter),
    undo: (lab) => set(lab, undefined),
  };
}

export const mutations: Mutation[] = [
  {
    name: "a vxlan device",
    proof: overlayProof,
    reading: /^worker-1: mutant$/,
    ...onWorker(
      "ip link add mutant type vxlan id 4711 dstport 4790 dev eth0",
      "ip link delete mutant",
    ),
  },
  {
    name: "a parameter changed by hand",
    proof: sysctlsProof,
    reading: /^worker-1: net\.ipv4\.tcp_fin_timeout is 60, expected 15$/,
    ...onWorker("sysctl -qw net.ipv4.tcp_fin_timeout=60", "sysctl -qw net.ipv4.tcp_fin_timeout=15"),
  },
  {
    name: "a rule of kube-proxy in iptables",
    proof: kubeProxyProof,
    reading: /^worker-1: .*iptables-save/,
    ...onWorker(
      "iptables -t nat -N KUBE-SERVICES && iptables -t nat -A OUTPUT -j KUBE-SERVICES",
      "iptables -t nat -D OUTPUT -j KUBE-SERVICES && iptables -t nat -X KUBE-SERVICES",
    ),
  },
  {
    name: "kube-proxy's table in nftables",
    proof: kubeProxyProof,
    reading: /^worker-1: 1 in nft list ruleset$/,
    ...onWorker("nft add table ip6 kube-proxy", "nft delete table ip6 kube-proxy"),
  },
  {
    name: "a strict rp_filter",
    proof: reversePathProof,
    reading: /^worker-1: eth0 is strict/,
    ...onWorker(
      "sysctl -qw net.ipv4.conf.eth0.rp_filter=1",
      "sysctl -qw net.ipv4.conf.eth0.rp_filter=0",
    ),
  },
  {
    name: "a port that lets pass no source but the node's own address",
    proof: podTrafficProof,
    reading: /worker-1 → cp-1 10\.244\.\d+\.\d+: no answer/,
    ...onPort("foreign sources"),
  },
  {
    name: "a port that lets pass pods, and no other node's address",
    proof: dsrProof,
    reading: /\(cp-1, backend on worker-1\): no answer/,
    ...onPort("other hosts' addresses"),
  },
  {
    name: "a port that drops IP options",
    proof: dsrProof,
    reading: /\(worker-1, backend on cp-1\): no answer/,
    ...onPort("IP options"),
  },
];
