import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

// npm run lint, its part for shell scripts: shellcheck and shfmt over every script of the repository.

const root = fileURLToPath(new URL("..", import.meta.url));
const style = ["-i", "2", "-ci"];

const missing = ["shellcheck", "shfmt"].filter((tool) => run(tool, ["--version"]).error);
if (missing.length > 0) {
  const install = `apt-get install ${missing.join(" ")}`;
  console.error(`shell scripts cannot be checked without ${missing.join(" and ")}: ${install}`);
  process.exit(1);
}

// shfmt knows scripts without an extension by their first line.
const scripts = run("shfmt", ["-f", ...rooms()])
  .stdout.trim()
  .split("\n");
const results = [
  run("shellcheck", ["--external-sources", ...scripts]),
  run("shfmt", ["-d", ...style, ...scripts]),
];
for (const { stdout, stderr } of results) process.stdout.write(stdout + stderr);
if (results.some(({ status }) => status !== 0)) process.exit(1);
console.log(`${scripts.length} shell scripts: no errors`);

/** The repository's own directories, hidden ones of tools left out. */
function rooms(): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "node_modules")
    .map(({ name }) => name)
    .filter((name) => !name.startsWith(".") || [".ci", ".github"].includes(name));
}

function run(command: string, args: string[]) {
  return spawnSync(command, args, { cwd: root, encoding: "utf8" });
}
