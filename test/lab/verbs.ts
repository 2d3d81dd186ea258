import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { execa, execaSync } from "execa";
import { formatTable } from "../../verify/report.ts";
import { chooseEngine, labEnvironment } from "./engine.ts";
import { down, up as infrastructureUp, type LabFacts } from "./infrastructure.ts";
import { factsFile } from "./paths.ts";
import { formatTimings, Progress, say } from "./progress.ts";
import { inNamespace } from "./shell.ts";
import { removeStackFile, stackFile, writeStackFile } from "./stack.ts";
import { writeTimeline } from "./timeline.ts";
import { kubeconfigFile, saveKubeconfig, verify } from "./verification/verify.ts";

/** Brings hosts and cluster up, and verifies. */
export async function bringUp(): Promise<number> {
  const start = performance.now();
  const facts = await infrastructureUp({ hosts: ["cp-1", "worker-1"] });
  writeStackFile(facts);
  const engine = await chooseEngine(facts);
  say(`the program runs through ${engine.name}`);
  const progress = new Progress();
  const summary = await progress.phase("cluster", () => engine.up());
  say(
    `  ${Object.entries(summary)
      .map(([op, n]) => `${n} ${op}`)
      .join(", ")}`,
  );
  await saveKubeconfig(engine);
  const timeline = await writeTimeline(engine);
  const rows = await progress.phase("verification", () => verify(facts, engine));
  console.log(`\n${formatTable(rows)}\n`);
  const total = (performance.now() - start) / 1000;
  console.log(formatTimings([...facts.timings, ...progress.timings]));
  console.log(`${total.toFixed(1).padStart(8)} s  in all`);
  console.log(
    `stack: ${stackFile}\ntimeline: ${timeline}\nkubeconfig: ${kubeconfigFile} (works inside the lab's network)`,
  );
  console.log("next: npm run lab -- exec kubectl get nodes -o wide; npm run lab:down");
  return rows.some((row) => row.verdict === "fail") ? 1 : 0;
}

export async function verifyAgain(): Promise<number> {
  const facts = factsOrExplain();
  const rows = await verify(facts, await chooseEngine(facts));
  console.log(formatTable(rows));
  return rows.some((row) => row.verdict === "fail") ? 1 : 0;
}

/** Takes everything away. */
export async function takeDown(): Promise<number> {
  await down();
  removeStackFile();
  return 0;
}

/** Runs a command in the lab's network, with its kubeconfig, ssh-agent and tools. */
export async function runInside(line: string[]): Promise<number> {
  const facts = factsOrExplain();
  const [file = "", ...rest] = inNamespace(facts.netns, line.length > 0 ? line : ["bash"]);
  const { exitCode } = await execa(file, rest, {
    env: { ...labEnvironment(facts), KUBECONFIG: kubeconfigFile },
    stdio: "inherit",
    reject: false,
  });
  return exitCode ?? 1;
}

function factsOrExplain(): LabFacts {
  if (!existsSync(factsFile)) throw new Error("the lab is not up; type npm run lab");
  return JSON.parse(readFileSync(factsFile, "utf8"));
}

/** Becomes root through sudo, where a terminal's user may. */
export function elevate(): void {
  if (process.getuid?.() === 0 || process.platform !== "linux") return;
  const self = fileURLToPath(new URL("main.ts", import.meta.url));
  const keep =
    "--preserve-env=PATH,HOME,XDG_CACHE_HOME,OSLO_LAB_CACHE,OSLO_LAB_NAME,OSLO_LAB_ARTIFACTS,OSLO_LAB_SOURCES,OSLO_LAB_DEBIAN_MIRROR,GOPROXY,GOFLAGS,http_proxy,https_proxy,no_proxy";
  const { exitCode } = execaSync("sudo", [keep, process.execPath, self, ...process.argv.slice(2)], {
    stdio: "inherit",
    reject: false,
  });
  process.exit(exitCode ?? 1);
}
