import { Command } from "commander";
import { say } from "./progress.ts";

const lab = new Command("npm run lab --")
  .description(
    "A cluster on this machine: two hosts, mirrors, the program through Pulumi's engine, proofs.",
  )
  .enablePositionalOptions();

/** What the verbs do is loaded by the one that runs: the help needs none of it. */
type Verbs = typeof import("./verbs.ts");
const verb = (
  name: string,
  description: string,
  work: (verbs: Verbs, words: string[]) => Promise<number>,
) =>
  lab
    .command(name, { isDefault: name === "up" })
    .description(description)
    .allowExcessArguments(false)
    .action(async (words: unknown) => {
      const verbs = await import("./verbs.ts");
      verbs.elevate();
      process.exitCode = await work(verbs, Array.isArray(words) ? words : []).catch(
        (error: Error) => {
          say(`error: ${error.message}`);
          return 1;
        },
      );
    });

verb("up", "bring hosts and cluster up, and verify", ({ bringUp }) => bringUp());
verb("verify", "verify again", ({ verifyAgain }) => verifyAgain());
verb("exec", "run a command in the lab, such as kubectl get nodes", ({ runInside }, line) =>
  runInside(line),
)
  .argument("[command...]", "a shell where none is given")
  .passThroughOptions();
verb("down", "take everything away", ({ takeDown }) => takeDown());
await lab.parseAsync();
