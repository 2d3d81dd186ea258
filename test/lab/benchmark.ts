import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { loadStackFile } from "../../config/load.ts";
import { type NodePlan, plan } from "../../plan/plan.ts";
import { renderStep, type StepDocument } from "../../plan/step.ts";
import { renderYaml } from "../../plan/yaml.ts";
import { claimScript } from "../../steps/bundle.ts";
import { nodeReach } from "../../steps/ssh/target.ts";
import { chooseEngine, forgetState, labEnvironment } from "./engine.ts";
import { up as infrastructureUp, type LabFacts, resetHost } from "./infrastructure.ts";
import { say } from "./progress.ts";
import { inNamespace, run } from "./shell.ts";
import { stackFile, writeStackFile } from "./stack.ts";

// npm run lab:bench [-- PAIRS]: the same steps by a script without a pause, and by `up`, in turn on
// fresh hosts: script, up, up, script, ... Prints each run, the script's phases, and the ratio of each pair.

const command = new Command("npm run lab:bench --")
  .description("The same cluster by a script without a pause and by `up`, in turn on fresh hosts.")
  .argument("[pairs]", "how many of each", positive, 2)
  .allowExcessArguments(false)
  .parse();
const pairs = command.processedArgs[0] as number;
const facts = await infrastructureUp({ hosts: ["cp-1", "worker-1"] });
writeStackFile(facts);
const engine = await chooseEngine(facts);
say(`up runs through ${engine.name}; ${pairs} pairs`);

const ratios: number[] = [];
for (let pair = 0; pair < pairs; pair++) {
  const order = pair % 2 === 0 ? (["script", "up"] as const) : (["up", "script"] as const);
  const seconds = { script: 0, up: 0 };
  for (const what of order) {
    await freshHosts();
    const start = performance.now();
    if (what === "up") await engine.up();
    else await script(facts);
    seconds[what] = (performance.now() - start) / 1000;
    console.log(`pair ${pair + 1}: ${what} ${seconds[what].toFixed(1)} s`);
  }
  ratios.push(seconds.up / seconds.script);
}
const sorted = ratios.toSorted((a, b) => a - b);
console.log(
  `up/script: ${ratios.map((ratio) => ratio.toFixed(2)).join(", ")}; median ${sorted[Math.floor((sorted.length - 1) / 2)]?.toFixed(2)}`,
);

function positive(word: string): number {
  const count = Number(word);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("Give a whole number, such as 3.");
}

async function freshHosts(): Promise<void> {
  await forgetState();
  await Promise.all(facts.hosts.map(({ name }) => resetHost(name)));
}

/** One thing after the other, as a person's script does it. */
async function script(lab: LabFacts): Promise<void> {
  const clusterPlan = plan(loadStackFile(stackFile));
  const directory = mkdtempSync(join(tmpdir(), "oslo-bench-"));
  const phases: string[] = [];
  const phase = async (name: string, action: () => Promise<unknown>) => {
    const start = performance.now();
    await action();
    phases.push(`${name} ${((performance.now() - start) / 1000).toFixed(1)}`);
  };
  const inside = (command: string[], input = "") => {
    const [file = "", ...args] = inNamespace(lab.netns, command);
    return run(file, args, {
      env: { ...labEnvironment(lab), KUBECONFIG: join(directory, "kubeconfig") },
      input,
    });
  };
  const on = (node: NodePlan, command: string, input = "") =>
    inside(["ssh", ...nodeReach(clusterPlan, node).sshArguments, command], input);
  const runDocument = (node: NodePlan, document: StepDocument, secrets = "") =>
    on(
      node,
      `/usr/local/lib/oslo-cluster/oslo-step run ${document.step}`,
      renderStep(document) + secrets,
    );
  const runStep = (node: NodePlan, name: string, secrets = "") => {
    const document = node.steps[name];
    return document === undefined ? Promise.resolve("") : runDocument(node, document, secrets);
  };
  const [cp, ...workers] = clusterPlan.nodes as [NodePlan, ...NodePlan[]];
  const steps = Object.keys(cp.steps);
  const init = steps.indexOf("control-plane");

  try {
    for (const node of clusterPlan.nodes) {
      await phase(`claim ${node.name}`, () =>
        on(node, `bash -s -- ${clusterPlan.name} ${node.name}`, claimScript()),
      );
    }
    for (const name of steps.slice(0, init)) {
      for (const node of clusterPlan.nodes) {
        if (name in node.steps) await phase(`${name} ${node.name}`, () => runStep(node, name));
      }
    }
    // No other control plane has a cluster: there is none.
    const alone = 'secrets:\n  SILENT: ""\n  KNOWN: ""\n';
    await phase("kubeadm init", () => runStep(cp, "control-plane", alone));
    for (const name of steps.slice(init + 1))
      await phase(`${name} ${cp.name}`, () => runStep(cp, name));
    for (const worker of workers) {
      await phase(`kubeadm join ${worker.name}`, async () =>
        runStep(
          worker,
          "kubeadm-join",
          await on(cp, `/usr/local/lib/oslo-cluster/oslo-step mint-join ${worker.join}`),
        ),
      );
    }
    // Its own one names the balancer of the control plane.
    const admin = await on(cp, "cat /etc/kubernetes/admin.conf");
    const server = `server: https://${clusterPlan.endpoint}`;
    writeFileSync(join(directory, "kubeconfig"), admin.replace(/server: \S+/, server), {
      mode: 0o600,
    });
    const { namespaces, gatewayApi } = clusterPlan;
    const { crds, objects } = gatewayApi;
    await phase("Gateway API CRDs", () =>
      inside([lab.kubectl, "apply", "--server-side", "-f", "-"], renderYaml(...crds)),
    );
    const { repository, version, namespace, values } = clusterPlan.cilium;
    const valuesFile = join(directory, "values.yaml");
    writeFileSync(valuesFile, renderYaml(values));
    await phase("helm install", () =>
      inside([
        ...[lab.helm, "install", "cilium", "cilium", "--repo", repository, "--version", version],
        ...["--namespace", namespace, "--values", valuesFile],
      ]),
    );
    await phase("gateway and routes", () =>
      inside(
        [lab.kubectl, "apply", "--server-side", "-f", "-"],
        renderYaml(...namespaces, ...objects),
      ),
    );
    await phase("ready", () => runDocument(cp, clusterPlan.ready));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  console.log(`  script: ${phases.join(", ")}`);
}
