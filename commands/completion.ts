import { Argument, Command } from "commander";
import { completionScript, shells } from "./completion/scripts.ts";

/**
 * A script for a shell, made from the commands themselves.
 * @param whole The program with all of its commands.
 */
export const completion = (whole: () => Promise<Command>) =>
  new Command("completion")
    .summary("completion for bash, zsh or fish")
    .description(
      `Prints a script that completes commands, options and stacks.

  bash  source <(oslo-cluster completion bash)
  zsh   source <(oslo-cluster completion zsh)
  fish  oslo-cluster completion fish | source`,
    )
    .addArgument(new Argument("<shell>").choices(shells))
    .action(async (shell: (typeof shells)[number]) => {
      process.stdout.write(completionScript(shell, await whole()));
    });
