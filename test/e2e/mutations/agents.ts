import { modesProof } from "../../../verify/proofs/modes.ts";
import { xdpProof } from "../../../verify/proofs/xdp.ts";
import { waitFor } from "../../lab/shell.ts";
import type { Lab } from "../../lab/verification/proof.ts";
import { admin, type Batch, type Change, inAgent } from "./mutation.ts";

const agents = ["-n", "kube-system", "get", "pods", "-l", "k8s-app=cilium"];

/** Agents that run with other settings than the cluster's, and a program that somebody has taken off a device. */
export const otherAgents: Batch = {
  name: "agents with settings of their own",
  asked: [modesProof, xdpProof],
  settled: agentsReady,
  mutations: [
    {
      name: "an agent that translates addresses, and attaches nothing to devices",
      breaks: [
        { proof: modesProof, reading: /worker-1: not Mode: DSR/ },
        { proof: xdpProof, reading: /worker-1: eth0 not attached/ },
      ],
      ...ownSettings("worker-1", {
        "bpf-lb-mode": "snat",
        "bpf-lb-acceleration": "disabled",
      }),
    },
    {
      name: "an agent that masquerades by iptables",
      breaks: [{ proof: modesProof, reading: /cp-1: not Masquerading: BPF/ }],
      ...ownSettings("cp-1", { "enable-bpf-masquerade": "false" }),
    },
    {
      name: "a program that somebody has detached",
      breaks: [{ proof: xdpProof, reading: /cp-1: eth0 not attached/ }],
      async make(lab) {
        // An agent attaches it as it starts, and at no other time.
        await agentsReady(lab);
        const link = "/sys/fs/bpf/cilium/devices/eth0/links/cil_xdp_entry";
        await inAgent(lab, `bpftool link detach pinned ${link}`, "cp-1");
      },
      // That the agent of cp-1 starts with its former settings is the way back.
      undo: async () => {},
    },
  ],
};

/** Settings of one node's agent, which starts again with them and again without. */
function ownSettings(node: string, defaults: Record<string, string>): Change {
  const name = `mutant-${node}`;
  const config = {
    ...{ apiVersion: "cilium.io/v2", kind: "CiliumNodeConfig" },
    metadata: { namespace: "kube-system", name },
    spec: { nodeSelector: { matchLabels: { "kubernetes.io/hostname": node } }, defaults },
  };
  const restart = ({ kubectl }: Lab) =>
    kubectl(
      ...["-n", "kube-system", "delete", "pod", "-l", "k8s-app=cilium"],
      `--field-selector=spec.nodeName=${node}`,
    );
  return {
    async make(lab) {
      await lab.onHost("cp-1", `${admin} create -f - <<'END'\n${JSON.stringify(config)}\nEND`);
      await restart(lab);
    },
    async undo(lab) {
      const which = ["ciliumnodeconfigs.cilium.io", name, "--ignore-not-found"];
      await lab.kubectl("-n", "kube-system", "delete", ...which);
      await restart(lab);
    },
  };
}

async function agentsReady({ kubectl, facts }: Lab): Promise<void> {
  const ready = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status} {end}';
  await waitFor("every agent to be Ready", 300, async () => {
    const all = (await kubectl(...agents, "-o", `jsonpath=${ready}`)).trim().split(/\s+/);
    return all.length === facts.hosts.length && all.every((status) => status === "True");
  });
}
