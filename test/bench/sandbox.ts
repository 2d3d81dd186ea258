import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parse } from "yaml";
import { fileBackend } from "../../commands/engine/file-backend.ts";
import { pulumiStacks } from "../../commands/engine/stacks.ts";
import { project } from "../../config/load.ts";
import { root } from "../root.ts";

/** The sandbox's one stack. */
export const stack = "large";

/**
 * The program itself in a folder with a backend of its own, with plugins that answer at once and reach no
 * machine.
 * @param command The CLI's command line. It finds a file for its own use in $TIMES.
 */
export function clusterSandbox(command: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "engine-cluster-"));
  const file = (name: string) => join(folder, name);
  const write = (name: string, content: object) =>
    writeFileSync(file(name), JSON.stringify(content));
  const { runtime } = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8"));
  write("Pulumi.yaml", { name: project, main: "index.ts", runtime });
  write("package.json", { type: "module" });
  writeFileSync(file("index.ts"), `export * from "${join(root, "index.ts")}";\n`);
  symlinkSync(join(root, "node_modules"), file("node_modules"));
  mkdirSync(file("state"));
  const path = [
    join(root, "test/bench/plugins/bin"),
    join(root, "test/lab/plugins/bin"),
    join(root, "test/components/agent-with-key"),
    dirname(process.execPath),
    process.env.PATH,
  ].join(delimiter);
  const stacks = pulumiStacks({
    command,
    directory: folder,
    env: {
      PATH: path,
      TIMES: file("times"),
      PULUMI_HOME: file("home"),
      PULUMI_BACKEND_URL: fileBackend(file("state")),
      PULUMI_CONFIG_PASSPHRASE: "test",
      SSH_AUTH_SOCK: "/test/agent",
    },
  });
  /** Beside what the engine wrote there, which decrypts the state. */
  const configure = (sections: Record<string, unknown>) => {
    const { config: _, ...kept } = parse(readFileSync(file(`Pulumi.${stack}.yaml`), "utf8")) ?? {};
    const entries = Object.entries(sections);
    const config = Object.fromEntries(entries.map(([key, value]) => [`${project}:${key}`, value]));
    write(`Pulumi.${stack}.yaml`, { ...kept, config });
  };
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return { stacks, configure, times: file("times"), [Symbol.dispose]: remove };
}
