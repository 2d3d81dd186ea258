import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { loadStackFile } from "../../../config/load.ts";
import { plan } from "../../../plan/plan.ts";
import { machineReach } from "../../../steps/ssh/target.ts";
import { kubectlOf } from "../../../verify/kubectl.ts";
import { promises } from "../../../verify/promises.ts";
import { fail, type Proof } from "../../../verify/proof.ts";
import { type Row, runProofs } from "../../../verify/run.ts";
import { sshTransport } from "../../../verify/transport.ts";
import { type Engine, labEnvironment } from "../engine.ts";
import { hostNamed } from "../facts.ts";
import type { LabFacts } from "../infrastructure.ts";
import { runDirectory } from "../paths.ts";
import { inNamespace } from "../shell.ts";
import { stackFile } from "../stack.ts";
import { ensureBackends } from "./backends.ts";
import { labProofs } from "./own.ts";
import type { Lab, LabProof } from "./proof.ts";

export const kubeconfigFile = join(runDirectory, "kubeconfig");

/** Keeps the stack's kubeconfig where the lab's commands look for it. */
export async function saveKubeconfig(engine: Engine): Promise<void> {
  writeFileSync(kubeconfigFile, String((await engine.outputs()).kubeconfig), { mode: 0o600 });
}

/** Holds every promise against the living cluster: the product's own, and those of the lab. */
export async function verify(facts: LabFacts, engine: Engine): Promise<Row[]> {
  const lab = labOf(facts, engine);
  await ensureBackends(lab);
  return [...(await proveProduct(facts, promises)), ...(await proveLab(lab))];
}

/** The lab's own proofs. */
export async function proveLab(lab: Lab): Promise<Row[]> {
  const rows: Row[] = [];
  for (const proof of labProofs) rows.push(await row(proof, lab));
  return rows;
}

/** The product's proofs, as `npm run verify` runs them. */
export async function proveProduct(facts: LabFacts, asked: readonly Proof[]): Promise<Row[]> {
  const config = loadStackFile(stackFile);
  const clusterPlan = plan(config);
  const transport = sshTransport(clusterPlan, {
    kubeconfig: kubeconfigFile,
    prefix: inNamespace(facts.netns, []),
    env: labEnvironment(facts),
  });
  return runProofs(asked, config, clusterPlan, transport).finally(() => transport.close());
}

/** Ways into the cluster and its hosts. */
export function labOf(facts: LabFacts, engine: Engine): Lab {
  const inside = async (command: readonly string[], env: Record<string, string> = {}) => {
    const [file = "", ...args] = inNamespace(facts.netns, command);
    const { stdout } = await execa(file, args, { env: { ...labEnvironment(facts), ...env } });
    return stdout;
  };
  const kubectl = kubectlOf(kubeconfigFile, (command, options) => inside(command, options?.env));
  return {
    facts,
    engine,
    kubectl: (...args) => kubectl(args),
    onHost: (name, command) => {
      const host = hostNamed(facts, name);
      const reach = { host: host.address, port: 22, user: "root", hostKey: host.hostKey };
      const dial = { timeoutSeconds: 10, attempts: 1 };
      const { sshArguments } = machineReach({ dial }, { name, reach });
      return inside(["ssh", ...sshArguments, command]);
    },
  };
}

async function row({ promise, proof, prove }: LabProof, lab: Lab): Promise<Row> {
  const start = performance.now();
  const verdict = await prove(lab).catch((error) => {
    const { shortMessage, stderr, message } = error as {
      shortMessage?: string;
      stderr?: string;
      message: string;
    };
    return fail(stderr || shortMessage || message);
  });
  const seconds = (performance.now() - start) / 1000;
  return { promise, proof, fix: "look at the lab's hosts", answered: true, seconds, ...verdict };
}
