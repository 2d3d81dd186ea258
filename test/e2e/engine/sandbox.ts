import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { PulumiFailed } from "../../../commands/engine/cli.ts";
import { fileBackend } from "../../../commands/engine/file-backend.ts";
import { type PulumiStacks, pulumiStacks } from "../../../commands/engine/stacks.ts";
import { pluginEnvironment } from "../../lab/engine.ts";
import { root } from "../../root.ts";
import type { Described } from "./program.ts";

const stack = "test";

/** A folder with a backend and a program of its own, whose resources each run describes. */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), "engine-"));
  readonly stacks: PulumiStacks;
  /** Everything that was printed. */
  readonly log: string[] = [];
  private isMade = false;

  /**
   * @param env what other plugins or tools need; it comes last
   * @param program in this folder
   */
  constructor(cli: string, path: string, env: Record<string, string> = {}, program = "program") {
    this.write("Pulumi.yaml", JSON.stringify(project));
    this.write("package.json", JSON.stringify({ type: "module" }));
    this.write("index.ts", `export * from "${join(root, `test/e2e/engine/${program}.ts`)}";\n`);
    symlinkSync(join(root, "node_modules"), this.file("node_modules"));
    mkdirSync(this.file("state"));
    this.stacks = pulumiStacks({
      command: [cli],
      directory: this.folder,
      env: {
        ...pluginEnvironment({ command: cli, plugins: "own" }, this.file("home")),
        PATH: path,
        PULUMI_BACKEND_URL: fileBackend(this.file("state")),
        PULUMI_CONFIG_PASSPHRASE: "test",
        // Commands find both in their environment.
        ...{ JOURNAL: this.file("journal"), FOLDER: this.folder },
        ...env,
      },
    });
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string, mode = 0o600): void {
    writeFileSync(this.file(name), text, { mode });
  }

  /** Describes what is wanted from now on. */
  async describe(resources: Described[], more: Record<string, unknown> = {}): Promise<void> {
    if (!this.isMade) await this.stacks.create(stack);
    this.isMade = true;
    // What `stack init` wrote there decrypts the state.
    const { encryptionsalt } = JSON.parse(this.salt ?? "{}");
    const config = { ...more, "demo:resources": resources };
    this.write(`Pulumi.${stack}.yaml`, JSON.stringify({ encryptionsalt, config }));
  }

  private get salt(): string | undefined {
    const [, salt] =
      this.read(`Pulumi.${stack}.yaml`).match(/encryptionsalt"?: *"?([^"\n,}]+)/) ?? [];
    return salt && JSON.stringify({ encryptionsalt: salt });
  }

  async up(resources: Described[], more: Record<string, unknown> = {}) {
    await this.describe(resources, more);
    return this.stacks.up(stack, { onOutput: (text) => void this.log.push(text) });
  }

  /** The preview's steps as `operation name`, components and default providers left out. */
  async preview(resources: Described[], more: Record<string, unknown> = {}): Promise<string[]> {
    await this.describe(resources, more);
    const { steps } = JSON.parse(await this.stacks.preview(stack, "--json")) as {
      steps: { op: string; urn: string }[];
    };
    return steps
      .filter(({ op, urn }) => op !== "same" && isResource(urn))
      .map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`);
  }

  destroy() {
    return this.stacks.destroy(stack);
  }

  outputs() {
    return this.stacks.outputs(stack);
  }

  state(): Promise<string> {
    return this.stacks.exportedState(stack);
  }

  /** The resources in the state, by name, components and providers left out. */
  async names(): Promise<string[]> {
    const { deployment } = JSON.parse(await this.state()) as {
      deployment: { resources?: { urn: string; custom?: boolean }[] };
    };
    return (deployment.resources ?? [])
      .filter(({ urn }) => isResource(urn) && !urn.includes("pulumi:providers"))
      .map(({ urn }) => urn.split("::").at(-1) as string);
  }

  /** What commands wrote into the journal since the last call. */
  journal(): string[] {
    const text = this.read("journal");
    this.write("journal", "");
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

  /** A tool that writes its arguments into the journal. */
  fakeTool(name: string, answer: string): void {
    this.write(name, `#!/bin/sh\necho ${name} "$@" >>$JOURNAL\n${answer}\n`, 0o755);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Neither a component nor a provider that the engine made by itself. */
function isResource(urn: string): boolean {
  const [, , types = "", name = ""] = urn.split("::");
  const type = types.split("$").at(-1) as string;
  return !/^(pulumi:pulumi|test:index|oslo-cluster):/.test(type) && !name.startsWith("default_");
}

const project = {
  name: "demo",
  main: "index.ts",
  runtime: { name: "nodejs", options: { typescript: false } },
};

/** A command that writes down that it was created and deleted. */
export function journaled(name: string, more: Partial<Described> = {}): Described {
  const { args, ...rest } = more;
  return {
    name,
    ...rest,
    args: {
      create: `echo create ${name} >>$JOURNAL; echo out of ${name}`,
      delete: `echo delete ${name} >>$JOURNAL`,
      addPreviousOutputInEnv: true,
      ...args,
    },
  };
}

/** What an operation said that was to fail. */
export async function failureOf(operation: Promise<unknown>): Promise<string> {
  const error = await operation.then(
    () => undefined,
    (reason: unknown) => reason as PulumiFailed,
  );
  if (error === undefined) throw new Error("expected a failure");
  return `${error.message}\n${error.printed}`;
}

/** Directories in which commands are looked for, by whose plugins come first. */
export function pathWith(first: string): string {
  return [first, process.env.PATH].join(delimiter);
}
