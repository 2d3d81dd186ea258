import { join } from "node:path";
import { execa } from "execa";

/** What a page writes, and what is put in its place. */
export type Replaced = readonly (readonly [page: string | RegExp, here: string])[];

/** Wherever docs/getting-started.md is followed: what is done before, and where a test keeps its things. */
export function replacedEverywhere(state: string): Replaced {
  return [
    // It takes the home folder of the user's entry.
    [/^ssh-add$/m, "ssh-add ~/.ssh/id_ed25519"],
    ["npm ci", ":"],
    ['curl -fsSL https://get.pulumi.com | sh -s -- --version "$(cat .pulumi.version)"', ":"],
    // So does this.
    ["file://~?", `file://${state}?`],
    ["/tmp/oslo-plan", "~/oslo-plan"],
  ];
}

/** Those of them that the commands do not have: the page has changed. */
export function unusedOf(replaced: Replaced, commands: readonly string[]): (string | RegExp)[] {
  return replaced
    .map(([page]) => page)
    .filter((page) =>
      commands.every((one) => (typeof page === "string" ? !one.includes(page) : !page.test(one))),
    );
}

export interface TerminalOptions {
  folder: string;
  /** With the home folder, HOME. */
  env: Record<string, string> & { HOME: string };
  replaced: Replaced;
  /** Runs the shell, such as in a network namespace. @default none */
  prefix?: readonly string[];
  /** Gets what commands print, as it comes. */
  onOutput?: (text: string) => void;
}

/** A person's shell, which lasts from one command of a page to the next. */
export interface Terminal {
  /**
   * Runs a command of the page, with what is put in its place. @returns what it prints on standard output
   * @throws where it ends with another code than those
   */
  type(command: string, input?: string, codes?: readonly number[]): Promise<string>;
  /** Ends the agent that the page has started. */
  close(): Promise<void>;
}

/** Longer than any command of a page takes. */
const limitMilliseconds = 20 * 60_000;

export function openTerminal({
  folder,
  env,
  replaced,
  prefix = [],
  onOutput = () => {},
}: TerminalOptions): Terminal {
  const variables = join(env.HOME, "variables");
  const script = `set -euo pipefail
[ ! -f ${variables} ] || . ${variables}
trap 'export -p >${variables}' EXIT
eval "$1"`;
  // Nothing asks upstream for newer versions: there may be no way to it, and npm would try for long.
  const quiet = { npm_config_update_notifier: "false", PULUMI_SKIP_UPDATE_CHECK: "true" };
  // One that this process's user has is not the page's.
  const noAgent = { SSH_AGENT_PID: "" };
  const run = async (command: string, input: string, codes: readonly number[]) => {
    const [file = "", ...args] = [...prefix, "bash", "-c", script, "bash", command];
    const child = execa(file, args, {
      ...{ cwd: folder, env: { NO_COLOR: "1", ...quiet, ...noAgent, ...env }, input },
      ...{ all: true, reject: false, timeout: limitMilliseconds },
    });
    onOutput(`$ ${command}\n`);
    child.all.on("data", (chunk) => onOutput(String(chunk)));
    const { exitCode, stdout, all } = await child;
    if (exitCode === undefined || !codes.includes(exitCode))
      throw new Error(`${command}: exit code ${exitCode}\n${all}`);
    return stdout;
  };
  return {
    type: (command, input = "", codes = [0]) =>
      run(
        replaced.reduce((text, [page, here]) => text.replace(page, here), command),
        input,
        codes,
      ),
    close: async () =>
      void (await run("if printenv SSH_AGENT_PID; then ssh-agent -k; fi", "", [0])),
  };
}
