import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planFiles } from "../../plan/files.ts";
import { root } from "../root.ts";
import { planOf, stackFiles } from "../stacks.ts";

const folder = mkdtempSync(join(tmpdir(), "package-"));
afterAll(() => rmSync(folder, { recursive: true }));
const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const installed = join(folder, "node_modules", own.name);

/** As npm installs it, with the packages that it depends on at run time alone. */
beforeAll(async () => {
  const { stdout } = await execa("npm", ["pack", "--json", "--pack-destination", folder], {
    cwd: root,
    env: { TMPDIR: folder },
  });
  const [, file] = stdout.match(/"filename": "(.+)"/) ?? [];
  mkdirSync(installed, { recursive: true });
  await execa("tar", [
    ...["--extract", "--file", join(folder, file as string)],
    ...["--strip-components", "1", "--directory", installed],
  ]);
  for (const name of Object.keys(own.dependencies)) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", name), link);
  }
}, 300_000);

/** The installed command, in a folder that has a stack's file alone. */
async function run(...args: string[]) {
  const options = { cwd: folder, reject: false } as const;
  const command = join(installed, own.bin["oslo-cluster"]);
  return execa(process.execPath, [command, ...args], options);
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)));
}

describe("the package, installed elsewhere", () => {
  it("is JavaScript, with every file that the program reads beside it", () => {
    const files = filesBelow(installed);
    expect(files.filter((name) => name.endsWith(".ts"))).toEqual([]);
    const wanted = ["commands", "components", "plan", "policy", "steps"].flatMap((room) =>
      filesBelow(join(root, room))
        .filter((name) => !name.endsWith(".ts"))
        .map((name) => join("dist", room, name)),
    );
    expect(wanted.length).toBeGreaterThan(30);
    expect(wanted.filter((name) => !files.includes(name))).toEqual([]);
  });

  it("has the pages that its messages name", () => {
    const files = filesBelow(installed);
    const code = files.filter((name) => /\.(js|sh)$/.test(name));
    const named = code.flatMap((name) =>
      [...readFileSync(join(installed, name), "utf8").matchAll(/\bdocs\/[a-z-]+\.md/g)].map(
        ([page]) => page,
      ),
    );
    expect(new Set(named).size).toBeGreaterThan(2);
    expect(named.filter((page) => !files.includes(page))).toEqual([]);
  });

  it("tells its version", async () => {
    expect(await run("--version")).toMatchObject({ exitCode: 0, stdout: own.version });
  });

  it("starts Node with what saves memory, as npm's link to it does", async () => {
    const command = join(installed, own.bin["oslo-cluster"]);
    chmodSync(command, 0o755);
    const tell = "--import=data:text/javascript,console.error(process.execArgv.join())";
    const env = { NODE_OPTIONS: tell, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
    const { stderr } = await execa(command, ["--version"], { env });
    expect(stderr).toBe("--max-semi-space-size=8");
  });

  it("plans the same bytes, steps and CRDs among them", async () => {
    await execa("cp", [stackFiles.articles, folder]);
    expect(await run("check", "articles")).toMatchObject({ exitCode: 0 });
    const out = join(folder, "out");
    expect(await run("render", "articles", "--out", out)).toMatchObject({ exitCode: 0 });
    const planned = planFiles(planOf("articles"));
    for (const [path, content] of planned)
      expect(readFileSync(join(out, path), "utf8")).toBe(content);
  });

  it.each([
    ["the Pulumi program's components", "components/cluster/cluster.js"],
    ["ephemeral clusters by Pulumi's SDK", "commands/ephemeral/operator-context.js"],
    ["the bundle of a step", "steps/bundle.js"],
  ])("loads %s", async (_, file) => {
    const url = join(installed, "dist", file);
    const code = `await import(${JSON.stringify(url)})`;
    const options = { cwd: folder, reject: false } as const;
    const call = ["--input-type", "module", "--eval", code];
    expect(await execa(process.execPath, call, options)).toMatchObject({ exitCode: 0 });
  });
});
