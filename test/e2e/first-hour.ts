import { copyFileSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { sectionsOf } from "../../config/load.ts";
import type { ConfigInput } from "../../config/schema.ts";
import type { Row } from "../../verify/run.ts";
import { engineEnvironment, stateDirectory } from "../lab/engine.ts";
import { operatorKeyFile } from "../lab/hosts/keys.ts";
import { inNamespace } from "../lab/shell.ts";
import { removeStackFile, stackFile, writeStackFile } from "../lab/stack.ts";
import { ensureBackends } from "../lab/verification/backends.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { saveKubeconfig } from "../lab/verification/verify.ts";
import { blocksOf, commandsOf, pageText } from "../pages.ts";
import { root } from "../root.ts";
import {
  openTerminal,
  type Replaced,
  replacedEverywhere,
  type Terminal,
  unusedOf,
} from "./terminal.ts";

const replaced: Replaced = [
  ...replacedEverywhere(stateDirectory),
  ["root@203.0.113.11 root@203.0.113.12 root@203.0.113.13", "root@10.10.0.11 root@10.10.0.12"],
  // As data: the same promises.
  ["npm run verify -- oslo", "npm run --silent verify -- oslo --json"],
  // The name of the lab's stack, and the passphrase by which the lab's engine opens its state afterwards.
  [/(?<=^npm run .*-- |^pulumi stack init )oslo\b/, "lab"],
  ["openssl rand -base64 24", "echo lab"],
];

/**
 * Follows docs/getting-started.md on the lab's hosts, word for word, to a cluster.
 * @returns what `verify` found, and what `pulumi up` printed
 */
export async function firstHour(lab: Lab): Promise<{ rows: Row[]; printed: string }> {
  const blocks = blocksOf(pageText("docs/getting-started.md"));
  const commands = blocks.filter(({ info }) => info === "sh").flatMap(commandsOf);
  expect(unusedOf(replaced, commands)).toEqual([]);
  // The page begins without one.
  removeStackFile();
  const fingerprints = await fingerprintsOf(
    lab,
    blocks.filter(({ info }) => info === "sh console").flatMap(commandsOf),
  );
  const terminal = terminalOf(lab);
  const hour: { rows: Row[]; printed: string } = { rows: [], printed: "" };
  try {
    for (const command of commands) {
      if (command.startsWith("npm run init")) {
        // Enter for what is proposed.
        await terminal.type(command, `${fingerprints}\n\n`);
        addWhatTheLabNeeds(lab);
      } else if (command === "pulumi up") {
        hour.printed = await terminal.type(command);
        await saveKubeconfig(lab.engine);
        await ensureBackends(lab);
      } else if (command.startsWith("npm run verify")) {
        // Broken promises are the caller's to judge; the lab cannot prove all.
        hour.rows = JSON.parse(await terminal.type(command, "", [0, 3, 4]));
      } else await terminal.type(command, "", command.startsWith("npm run status") ? [0, 4] : [0]);
    }
  } finally {
    await terminal.close();
  }
  return hour;
}

/** As the console of each host has them. */
async function fingerprintsOf(lab: Lab, commands: readonly string[]): Promise<string> {
  const lines: string[] = [];
  for (const { name } of lab.facts.hosts)
    for (const command of commands) lines.push((await lab.onHost(name, command)).trim());
  return lines.join("\n");
}

/** Keeps what init has found; mirrors, and what hosts of one kernel cannot do, come from the lab. */
function addWhatTheLabNeeds({ facts }: Lab): void {
  const found = sectionsOf(stackFile) as unknown as ConfigInput;
  writeStackFile(facts, (config) => {
    const { gateways = [] } = config.network.vlan;
    config.cluster = { ...found.cluster, ...config.cluster };
    config.nodes = found.nodes;
    config.network = { vlan: { ...found.network.vlan, gateways } };
  });
}

function terminalOf({ facts, engine: { cli } }: Lab): Terminal {
  // The page sets its own.
  const { PULUMI_CONFIG_PASSPHRASE: _, ...own } = engineEnvironment(facts, cli);
  const home = stateDirectory;
  mkdirSync(join(home, ".ssh"), { recursive: true, mode: 0o700 });
  copyFileSync(operatorKeyFile, join(home, ".ssh/id_ed25519"));
  return openTerminal({
    folder: root,
    env: {
      ...own,
      HOME: home,
      PATH: [own.PATH, dirname(cli.command)].join(":"),
      PULUMI_HOME: own.PULUMI_HOME ?? process.env.PULUMI_HOME ?? join(homedir(), ".pulumi"),
      // Where the operator of this machine is logged in stays as it is.
      PULUMI_CREDENTIALS_PATH: home,
      // What a person presses where `up` asks.
      PULUMI_SKIP_CONFIRMATIONS: "true",
    },
    replaced,
    prefix: inNamespace(facts.netns, []),
    onOutput: (text) => void process.stdout.write(text),
  });
}
