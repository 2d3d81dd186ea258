import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";

// npm pack: the package's JavaScript, since Node runs no TypeScript under node_modules, and the files
// beside it that the program reads.

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const folders = ["commands", "components", "config", "plan", "policy", "steps", "verify"];

rmSync(dist, { recursive: true, force: true });
// The linter checks the types.
await execa("tsc", ["--project", "tsconfig.build.json", "--noCheck"], {
  cwd: root,
  preferLocal: true,
  stdio: "inherit",
});
for (const folder of folders) {
  for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /\.(ts|js)$/.test(entry.name)) continue;
    const from = join(entry.parentPath, entry.name);
    cpSync(from, join(dist, from.slice(root.length)));
  }
}
