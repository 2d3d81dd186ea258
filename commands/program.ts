import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { Command } from "commander";
import { report } from "./command.ts";
import { completion } from "./completion.ts";
import { exitCodeTable } from "./exit-codes.ts";
import { handleInterrupts, wasInterrupted } from "./interrupt.ts";
import { commands as listed } from "./list.ts";

/** Every command, in the order of the help. */
export const commands: typeof listed = {
  ...listed,
  completion: async () => ({ command: completion(() => programOf(Object.keys(commands))) }),
};

/** Runs the command that the words name, in a process that is its own; sets the process's exit code. */
export async function run(words: readonly string[]): Promise<void> {
  handleInterrupts();
  // A reader that has seen enough, such as head.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    throw error;
  });
  await execute(words);
}

/** Runs the command that the words name, where signals and streams are the caller's; sets the exit code. */
export async function execute(words: readonly string[]): Promise<void> {
  try {
    const [named = "", wanted] = words;
    const program = await programOf(named in commands ? [named] : Object.keys(commands));
    const isKnown = wanted === undefined || wanted.startsWith("-") || wanted in commands;
    if (named === "help" && wanted !== "help" && !isKnown)
      program.error(`error: unknown command '${wanted}'`);
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    process.exitCode = wasInterrupted() ? 130 : report(error);
  }
  if (wasInterrupted()) process.exitCode = 130;
}

/** The program with some of its commands. */
export async function programOf(names: readonly string[]): Promise<Command> {
  const program = new Command("oslo-cluster")
    .description("A production Kubernetes cluster in Oslo: checks, previews, proofs, repair")
    .version(version(), "--version", "print the version")
    .helpOption("-h, --help", "print the help")
    .helpCommand("help [command]", "print the help of a command")
    .addHelpText("after", `\n${exitCodeTable()}`)
    .showHelpAfterError("(oslo-cluster --help lists the commands)")
    .exitOverride();
  for (const name of names) {
    const { command } = (await commands[name]?.()) ?? {};
    if (command) program.addCommand(inherit(command, program, program.name()));
  }
  return program;
}

function inherit(command: Command, parent: Command, above: string): Command {
  command.copyInheritedSettings(parent);
  const path = `${above} ${command.name()}`;
  command.showHelpAfterError(`(${path} --help lists the options)`);
  for (const child of command.commands) inherit(child, command, path);
  return command;
}

function version(): string {
  const file = findPackageJSON(import.meta.url);
  return file === undefined ? "" : JSON.parse(readFileSync(file, "utf8")).version;
}
