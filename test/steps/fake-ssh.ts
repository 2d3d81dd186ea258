import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

/** A folder that comes first in PATH and holds an ssh that does what a test says. */
export class FakeSsh {
  private readonly folder = mkdtempSync(join(tmpdir(), "fake-ssh-"));

  /** @param body Shell that is run in the place of ssh; the remote command is in $remote. */
  constructor(body: string) {
    const script = `#!/bin/sh
number=$(ls ${this.folder} | grep -c stdin)
for remote in "$@"; do :; done
cat >${this.folder}/stdin.$number
printf '%s\\n' "$@" >${this.folder}/arguments.$number
${body}
`;
    writeFileSync(join(this.folder, "ssh"), script, { mode: 0o755 });
  }

  /** Runs a command as @pulumi/command's local commands do: /bin/sh -c, with stdin. */
  async run(command: string, stdin: string, env: Record<string, string> = {}) {
    const path = `${this.folder}:${process.env.PATH}`;
    const result = await execa("/bin/sh", ["-c", command], {
      input: stdin,
      env: { ...env, PATH: path },
      reject: false,
    });
    const { exitCode, stdout, stderr } = result;
    return { exitCode, stdout, stderr };
  }

  /** What each call of ssh was given, in order. */
  calls(): { stdin: string; arguments: string }[] {
    const read = (name: string) => readFileSync(join(this.folder, name), "utf8");
    const count = readdirSync(this.folder).filter((name) => name.startsWith("stdin.")).length;
    return Array.from({ length: count }, (_, i) => ({
      stdin: read(`stdin.${i}`),
      arguments: read(`arguments.${i}`),
    }));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
