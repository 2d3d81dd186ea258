import { existsSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Command } from "commander";
import { stringify } from "yaml";
import { loadConfig, project } from "../config/load.ts";
import { ConfigError, formatProblem, printable } from "../config/problem.ts";
import { askEach, split } from "../verify/cluster.ts";
import { warnOfAgent } from "./agent.ts";
import { UsageError, UserError } from "./command.ts";
import { everyOf } from "./every-of.ts";
import {
  type Destination,
  fingerprint,
  type Machine,
  readDestination,
  readMachine,
  scanHostKey,
} from "./init/machine.ts";
import { projectFile, projectText, schemaLine } from "./init/project.ts";
import { sectionsOf, type Vlan, vlansOf } from "./init/sections.ts";
import { type Prompt, prompt } from "./prompt.ts";

interface Options {
  controlPlanes: string;
  name?: string;
  region: string;
  residency: string;
}

/** A stack's file from the machines themselves. */
export const command = new Command("init")
  .summary("a stack's file, from the machines themselves")
  .description(
    `Writes a stack's file. Reads host keys, interfaces, addresses and kernels over SSH, and changes nothing
there. Each host key is compared with the fingerprint that you read in the provider's console:

  ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`,
  )
  .argument("<stack>", "the name of the new stack")
  .argument("<machines...>", "where SSH answers: [user@]host[:port]; control planes first")
  .option("--control-planes <number>", "how many of the machines are control planes", "1")
  .option("--name <name>", "the cluster's name, where it is not the stack's")
  .option("--region <region>", "COUNTRY-CITY-NUMBER", "NO-OSL-1")
  .option("--residency <residency>", "where data may be: NO or EEA", "NO")
  .action(init);

async function init(stack: string, words: string[], options: Options): Promise<void> {
  const file = `Pulumi.${stack}.yaml`;
  if (existsSync(file))
    throw new UserError(`${file}: is there already; name another stack, or move the file away`);
  const { name = stack, region, residency } = options;
  const [, , controlPlanes, destinations] = everyOf(
    () => checkStackName(stack),
    () => checkCluster({ name, region, residency }),
    () => numberOf(options.controlPlanes, words.length),
    () => everyOf(...words.map((word) => () => readDestination(word))),
  );
  warnOfAgent();
  const keys = await answersOf(destinations, scanHostKey);
  using person = prompt();
  for (const [i, destination] of destinations.entries())
    await confirm(person, destination, keys[i] as string);
  const machines = await answersOf([...destinations.entries()], ([i, destination]) =>
    readMachine(destination, keys[i] as string),
  );
  for (const machine of machines) console.error(printable(describe(machine)));
  const vlan = await chooseVlan(person, machines);
  const [first] = destinations as [Destination, ...Destination[]];
  const several =
    controlPlanes > 1 ? " A name or a load balancer of yours outlives each control plane." : "";
  const endpoint = await person.ask(`Where do people reach the API server?${several}`, first.host);

  const sections = sectionsOf({ name, region, residency, endpoint }, vlan, machines, controlPlanes);
  loadConfig(sections, file);
  const config = Object.entries(sections).map(([key, value]) => [`${project}:${key}`, value]);
  // Pulumi reads YAML 1.1, to which a bare NO is false. `wx`: nobody's file is overwritten.
  const text = stringify({ config: Object.fromEntries(config) }, { version: "1.1" });
  writeFileSync(file, `${schemaLine(dirname(file))}\n${text}`, { flag: "wx" });
  console.log(`${file}: ${machines.length} machines`);
  if (!existsSync(projectFile)) {
    const text = projectText(".");
    if (text !== undefined) writeFileSync(projectFile, text, { flag: "wx" });
    console.log(
      text === undefined
        ? `${projectFile}: none here, and the program is not below this folder: work in the checkout, or install its package here (npm pack there, npm install FILE here)`
        : `${projectFile}: written; the program is ${project}`,
    );
  }
  console.log(`next: oslo-cluster check ${stack}; pulumi stack init ${stack}; pulumi preview`);
}

/** What Pulumi takes as a stack's name. */
function checkStackName(stack: string): void {
  if (/^[A-Za-z0-9._-]{1,100}$/.test(stack)) return;
  throw new UsageError(
    `${stack || "(empty)"}: not a stack's name; use letters, digits, -, _ and ., at most 100`,
  );
}

/** The options for the cluster, before anybody is asked: a file with them, on machines that are right. */
function checkCluster(cluster: { name: string; region: string; residency: string }): void {
  const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"B".repeat(43)}`;
  const sections = {
    cluster,
    network: { vlan: { subnets: ["10.10.0.0/24"] } },
    nodes: {
      existing: [
        { name: "cp-1", role: "control-plane", addresses: ["10.10.0.11"], ssh: { hostKey } },
      ],
    },
  };
  try {
    loadConfig(sections, "options");
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.problems.map((problem) =>
      formatProblem({ ...problem, path: problem.path.replace(/^cluster\./, "--") }),
    );
    throw new UsageError(lines.join("\n"));
  }
}

function numberOf(controlPlanes: string, machines: number): number {
  const number = Number(controlPlanes);
  if ([1, 3, 5].includes(number) && number <= machines) return number;
  throw new UsageError(
    `--control-planes: ${controlPlanes}: write 1, 3 or 5, and name at least so many machines (${machines} so far)`,
  );
}

/** What each machine answers. @throws UserError with the reason of each that does not */
async function answersOf<T, A>(asked: readonly T[], ask: (one: T) => Promise<A>): Promise<A[]> {
  const { answered, silent } = split(await askEach(asked, ask));
  if (silent.length > 0)
    throw new UserError([...new Set(silent.map(({ problem }) => problem))].join("\n"));
  return answered.map(({ answer }) => answer);
}

/** The person reads the fingerprint in the console; what answers over the network is not shown before. */
async function confirm(person: Prompt, { host }: Destination, hostKey: string): Promise<void> {
  const answer = await person.ask(`${host}: the fingerprint in its console (SHA256:...)?`);
  const [typed] = answer.match(/SHA256:[A-Za-z0-9+/]{43}/) ?? [];
  if (typed === undefined)
    throw new UserError(
      `${host}: no fingerprint; in the console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`,
    );
  if (typed === fingerprint(hostKey)) return;
  throw new UserError(
    `${host}: what answers has another key (${fingerprint(hostKey)}) than the console says (${typed}): another machine, or somebody in between. Nothing was written`,
  );
}

function describe(machine: Machine): string {
  const { host, user, system, kernel, cpus, memoryMebibytes, interfaces } = machine;
  const login = user === "root" ? "" : `, ${user} with sudo without a password`;
  const addresses = [...interfaces].map(([name, list]) => `${name} ${list.join(" ")}`).join("; ");
  return `${host}: ${system}, Linux ${kernel}, ${cpus} CPUs, ${memoryMebibytes} MiB${login}; ${addresses}`;
}

async function chooseVlan(person: Prompt, machines: readonly Machine[]): Promise<Vlan> {
  const vlans = vlansOf(machines);
  const [first] = vlans;
  if (first === undefined)
    throw new UserError(
      "no interface of the same name has a private address in one subnet on all machines: put them on one private VLAN",
    );
  if (vlans.length === 1) return first;
  const names = vlans.map((vlan) => vlan.interface);
  const chosen = await person.ask(
    `Which interface is the private VLAN's: ${names.join(", ")}?`,
    first.interface,
  );
  const vlan = vlans.find((one) => one.interface === chosen);
  if (vlan === undefined) throw new UserError(`${chosen}: write one of ${names.join(", ")}`);
  return vlan;
}
