import { Command } from "commander";
import { loadStackFile } from "../config/load.ts";
import { ConfigError } from "../config/problem.ts";
import { everyOf } from "./every-of.ts";
import { stackFileOf, stackHelp } from "./stack-file.ts";

/** Every error of stacks' files, without an engine, a credential or a network. */
export const command = new Command("check")
  .summary("every error of a stack's file")
  .description("Every error of stacks' files; needs no engine, credential or network.")
  .argument("<stacks...>", stackHelp)
  .option("--json", "the result as JSON")
  .action((stacks: string[], { json }: { json?: boolean }) => {
    const results = everyOf(...stacks.map((stack) => () => stackFileOf(stack))).map(check);
    const valid = results.every(({ problems }) => problems.length === 0);
    if (json) {
      const shown = results.map(({ message: _, ...result }) => result);
      console.log(JSON.stringify(shown, null, 2));
    } else {
      for (const { problems, message } of results)
        (problems.length === 0 ? console.log : console.error)(message);
    }
    process.exitCode = valid ? 0 : 1;
  });

function check(file: string) {
  try {
    const { cluster, nodes } = loadStackFile(file);
    const names = nodes.map((node) => `${node.name} (${node.role})`).join(", ");
    const message = `${file}: cluster ${cluster.name}, ${names}: no errors`;
    return { file, cluster: cluster.name, problems: [], message };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { file, problems: error.problems, message: error.message };
  }
}
