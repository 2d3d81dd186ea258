import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { destroy, type ProgramOptions, type RunResult, up } from "../lab/runner/index.ts";
import type { Described } from "./runner-program.ts";

const program = fileURLToPath(new URL("runner-program.ts", import.meta.url));
const runScript = fileURLToPath(new URL("../lab/runner/run.ts", import.meta.url));

/** A folder with a state of its own, in which runner.test.ts runs its program. */
export class Sandbox {
  /** Everything that was printed. */
  readonly log: string[] = [];
  readonly folder = mkdtempSync(join(tmpdir(), "runner-"));

  /** What every run gets; commands find the journal and the folder in their environment. */
  readonly options = {
    stateFile: this.file("state.json"),
    env: { JOURNAL: this.file("journal"), FOLDER: this.folder },
    log: (line: string) => void this.log.push(line),
  };

  file(name: string): string {
    return join(this.folder, name);
  }

  programOptions(resources: Described[], more: Record<string, unknown> = {}): ProgramOptions {
    const stackFile = this.file("Pulumi.test.yaml");
    const config = { ...more, "demo:resources": resources };
    writeFileSync(stackFile, JSON.stringify({ config }));
    return { ...this.options, program, project: "demo", stackFile };
  }

  up(resources: Described[], more: Record<string, unknown> = {}): Promise<RunResult> {
    return up(this.programOptions(resources, more));
  }

  destroy(): Promise<RunResult> {
    return destroy(this.options);
  }

  /** Starts a run as a shell does, for a test to end it in the middle. */
  startUp(resources: Described[]): ChildProcess {
    const { stateFile, stackFile, env } = { ...this.options, ...this.programOptions(resources) };
    const flags = ["--state", stateFile, "--stack-file", stackFile, "--program", program];
    return spawn(process.execPath, [runScript, "up", ...flags, "--project", "demo"], {
      env: { ...process.env, ...env },
      stdio: "ignore",
    });
  }

  /** What commands wrote into the journal since the last call. */
  journal(): string[] {
    const text = this.read("journal");
    writeFileSync(this.file("journal"), "");
    return text.split("\n").filter((line) => line !== "");
  }

  /** A file's text, empty when it is not there. */
  read(name: string): string {
    try {
      return readFileSync(this.file(name), "utf8");
    } catch {
      return "";
    }
  }

  /** The resources in the state, in its order. */
  stateNames(): string[] {
    const { resources } = JSON.parse(this.read("state.json"));
    return resources.map(({ name }: { name: string }) => name);
  }

  /** A tool that writes its arguments into the journal. */
  fakeTool(name: string, answer: string): string {
    const script = `#!/bin/sh\necho ${name} "$@" >>$JOURNAL\n${answer}\n`;
    writeFileSync(this.file(name), script, { mode: 0o755 });
    return this.file(name);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A command that writes what it does into the journal. */
export function journaled(name: string, more: Partial<Described> = {}): Described {
  const write = (act: string) => `echo ${act} ${name} >>$JOURNAL`;
  const args = { create: `${write("create")}; echo out of ${name}`, delete: write("delete") };
  return { name, ...more, args: { ...args, ...more.args } };
}
