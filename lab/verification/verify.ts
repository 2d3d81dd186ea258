import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { nodeReach } from "../../plan/reach.ts";
import { type Engine, labEnvironment } from "../engine.ts";
import type { LabFacts } from "../infrastructure.ts";
import { runDirectory } from "../paths.ts";
import { inNamespace } from "../shell.ts";
import { hasDatapath } from "../stack.ts";
import { clusterProofs } from "./cluster.ts";
import { datapathProofs } from "./datapath.ts";
import { dsrProof } from "./dsr.ts";
import { nodeProofs } from "./nodes.ts";
import type { Lab, Proof, Verdict } from "./proof.ts";

export const kubeconfigFile = join(runDirectory, "kubeconfig");

/** Keeps the stack's kubeconfig where the lab's commands look for it. */
export async function saveKubeconfig(engine: Engine): Promise<void> {
  writeFileSync(kubeconfigFile, String((await engine.outputs()).kubeconfig), { mode: 0o600 });
}

export interface Row extends Verdict {
  promise: string;
}

/** Holds every promise of the lab against the living cluster, one after the other. */
export async function verify(facts: LabFacts, engine: Engine): Promise<Row[]> {
  const lab = labOf(facts, engine);
  const rows: Row[] = [];
  for (const proof of [...clusterProofs, ...nodeProofs]) rows.push(await row(proof, lab));
  const missing = `image quay.io/cilium/cilium:v${facts.versions.cilium} not available (name a folder of OCI archives in OSLO_LAB_IMAGES)`;
  if (!hasDatapath(facts)) {
    rows.push({ promise: "datapath", result: "not verified", reading: missing });
  } else {
    for (const proof of [...datapathProofs, dsrProof]) rows.push(await row(proof, lab));
  }
  rows.push({
    promise: "L7: requests through the gateway, the canary's split",
    result: "not verified",
    reading: "image quay.io/cilium/cilium-envoy not available",
  });
  rows.push({
    promise: "host-wide kernel parameters and modules, XDP",
    result: "not verified",
    reading:
      "the lab's hosts share this machine's kernel; a virtual machine or a rented server can show them",
  });
  return rows;
}

/** Ways into the cluster and its hosts. */
export function labOf(facts: LabFacts, engine: Engine): Lab {
  const inside = async (command: string[]) => {
    const [file = "", ...args] = inNamespace(facts.netns, command);
    const { stdout } = await execa(file, args, {
      env: { ...labEnvironment(facts), KUBECONFIG: kubeconfigFile },
    });
    return stdout;
  };
  return {
    facts,
    engine,
    kubectl: (...args) => inside([facts.kubectl, ...args]),
    onHost: (name, command) => {
      const host = facts.hosts.find((candidate) => candidate.name === name);
      if (host === undefined) throw new Error(`no host ${name}`);
      const reach = { host: host.address, port: 22, user: "root", hostKey: host.hostKey };
      const dial = { timeoutSeconds: 10, attempts: 1 };
      const { sshArguments } = nodeReach(
        { dial },
        { name, role: "worker", addresses: [host.address], reach, steps: {} },
      );
      return inside(["ssh", ...sshArguments, command]);
    },
  };
}

async function row(proof: Proof, lab: Lab): Promise<Row> {
  try {
    return { promise: proof.promise, ...(await proof.prove(lab)) };
  } catch (error) {
    const { shortMessage, stderr, message } = error as {
      shortMessage?: string;
      stderr?: string;
      message: string;
    };
    return { promise: proof.promise, result: "failed", reading: stderr || shortMessage || message };
  }
}

/** The table that a person reads at the end. */
export function formatRows(rows: readonly Row[]): string {
  const mark = { passed: "✓", failed: "✗", "not verified": "–" };
  return rows
    .map(({ promise, result, reading }) => {
      const suffix = result === "not verified" ? "not verified, " : "";
      return `${mark[result]} ${promise}\n    ${suffix}${reading.replaceAll("\n", "\n    ")}`;
    })
    .join("\n");
}
