import { Command } from "commander";
import { plan } from "../plan/plan.ts";
import { agreed, type Consent } from "./confirm.ts";
import { ask, describe } from "./encryption/nodes.ts";
import { outlook, rotate } from "./encryption/rotate.ts";
import { machinesOf } from "./etcd/machines.ts";
import { configOf } from "./stack-config.ts";
import { stackHelp } from "./stack-file.ts";

/** The key that encrypts Secrets in etcd. */
export const command = new Command("encryption")
  .summary("the key that encrypts Secrets in etcd: status and rotation")
  .description(
    "The key that encrypts Secrets in etcd. It is made on a control plane and passes to the others by a pipe; this machine never holds it.",
  );

command
  .command("status")
  .description("Lists each control plane's keys by name, and how many objects each key encrypts.")
  .argument("<stack>", stackHelp)
  .action(async (stack: string) => {
    const asked = await ask(await machinesOf(plan(configOf(stack)), "control-plane"));
    console.log(describe(asked));
    console.log(await asked[0]?.plane.run("encryption", "census"));
  });

command
  .command("rotate")
  .description(
    "Encrypts Secrets with a new key: added on every control plane, loaded by every API server, then used, all Secrets written again, and the old key put away. Takes three to five minutes, mostly waiting; nothing restarts. An interrupted rotation is taken up by running the command again.",
  )
  .argument("<stack>", stackHelp)
  .option("--dry-run", "say what would be done, and do nothing")
  .option("--yes", "do not ask")
  .action(async (stack: string, consent: Consent) => {
    const config = configOf(stack);
    const planes = await machinesOf(plan(config), "control-plane");
    const asked = await ask(planes);
    const { key, steps } = outlook(asked);
    const text = [describe(asked), ...steps.map((line) => `  ${line}`)].join("\n");
    if (!(await agreed(config.cluster.name, text, consent))) return;
    const say = (line: string) => console.error(line);
    const { seconds, census, kept } = await rotate(planes, { key, say });
    console.log(
      `${census[key] ?? 0} Secrets are encrypted with ${key}, none with another key; ${seconds} s`,
    );
    for (const line of kept) console.log(`kept for older copies of etcd: ${line}`);
  });
