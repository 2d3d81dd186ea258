import { paths } from "../../../plan/kubeadm.ts";
import { modesProof } from "../../../verify/proofs/modes.ts";
import { secretsAtRestProof } from "../../../verify/proofs/secrets-at-rest.ts";
import { xdpProof } from "../../../verify/proofs/xdp.ts";
import { waitFor } from "../../lab/shell.ts";
import type { Lab } from "../../lab/verification/proof.ts";
import { admin, agentOn, type Batch, type Change, inAgent, on } from "./mutation.ts";

/** Of what an agent attaches to eth0. It attaches it as it starts, and at no other time. */
const links = "/sys/fs/bpf/cilium/devices/eth0/links";
const encryption = paths.encryptionWithKey;
/** The API server looks at its keys each minute, and says which file it has loaded. */
const loaded = `(for try in $(seq 180); do
  if ${admin} get --raw /metrics | grep -F encryption_config_controller_last_config_info | grep -qF "$(sha256sum <${encryption} | cut -d ' ' -f 1)"; then exit; fi
  sleep 1
done; exit 1)`;

/**
 * Agents and an API server that run with other settings than the cluster's, and a program that somebody has taken off a
 * device. All of them need about a minute, which they share.
 */
export const otherSettings: Batch = {
  name: "agents and an API server with settings of their own",
  asked: [modesProof, secretsAtRestProof, xdpProof],
  mutations: [
    {
      name: "an API server that encrypts what it reads, and writes in the clear",
      breaks: [{ proof: secretsAtRestProof, reading: /^cp-1: stored as k8s\.+v1\.+Secret/ }],
      ...on(
        "cp-1",
        `cp -a ${encryption} /run/former-keys.yaml && sed -i 's/^\\( *\\)- secretbox:/\\1- identity: {}\\n&/; $d' ${encryption} && ${loaded}`,
        `mv /run/former-keys.yaml ${encryption} && ${loaded}`,
      ),
    },
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
      name: "an agent that masquerades by iptables, and whose program somebody has detached",
      breaks: [
        { proof: modesProof, reading: /cp-1: not Masquerading: BPF/ },
        { proof: xdpProof, reading: /cp-1: eth0 not attached/ },
      ],
      ...ownSettings("cp-1", { "enable-bpf-masquerade": "false" }, (lab) =>
        inAgent(lab, `bpftool link detach pinned ${links}/cil_xdp_entry`, "cp-1"),
      ),
    },
  ],
};

/** Settings of one node's agent, which starts again with them, and again without; and what is done in between. */
function ownSettings(
  node: string,
  defaults: Record<string, string>,
  then: (lab: Lab) => Promise<unknown> = async () => {},
): Change {
  const name = `mutant-${node}`;
  const config = {
    ...{ apiVersion: "cilium.io/v2", kind: "CiliumNodeConfig" },
    metadata: { namespace: "kube-system", name },
    spec: { nodeSelector: { matchLabels: { "kubernetes.io/hostname": node } }, defaults },
  };
  return {
    async make(lab) {
      await lab.onHost("cp-1", `${admin} create -f - <<'END'\n${JSON.stringify(config)}\nEND`);
      await restart(lab, node);
      await then(lab);
    },
    async undo(lab) {
      const which = ["ciliumnodeconfigs.cilium.io", name, "--ignore-not-found"];
      await lab.kubectl("-n", "kube-system", "delete", ...which);
      await restart(lab, node);
    },
  };
}

/** Restarts an agent. It is Ready before its programs are in place; what eth0 sends and gets is the last of them. */
async function restart(lab: Lab, node: string): Promise<void> {
  const program = () => inAgent(lab, `bpftool link show pinned ${links}/cil_from_netdev`, node);
  const former = await program();
  await lab.kubectl("delete", "pods", ...agentOn(node));
  await waitFor(`the agent of ${node} to renew its programs`, 300, async () => {
    const now = await program().catch(() => former);
    return now !== former;
  });
  await lab.kubectl("wait", "pods", ...agentOn(node), "--for=condition=Ready", "--timeout=5m");
}
