import { dirname } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { root } from "../root.ts";

const lint = (path: string) =>
  execa(process.execPath, ["commands/lint-shell.ts"], {
    cwd: root,
    reject: false,
    all: true,
    env: { PATH: path },
  });

it("without the tools it fails, and says in one line what to install", async () => {
  const { exitCode, all } = await lint(dirname(process.execPath));
  expect(exitCode).toBe(1);
  expect(all).toBe(
    "shell scripts cannot be checked without shellcheck and shfmt: apt-get install shellcheck shfmt",
  );
});
