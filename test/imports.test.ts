import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "./root.ts";

/** What each room may import from: its own files and these. The program outside test/lab/ knows of no lab. */
const rooms: Record<string, string[]> = {
  config: [],
  plan: ["config"],
  steps: ["plan", "config"],
  components: ["plan", "steps"],
  verify: ["plan", "config", "steps"],
  policy: ["plan", "config"],
  commands: ["plan", "config", "steps", "verify"],
  "index.ts": ["config", "plan", "components"],
};

function imports(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g)];
  return specifiers.map(([, specifier]) => specifier as string);
}

function sources(room: string): string[] {
  if (room.endsWith(".ts")) return [join(root, room)];
  return readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(root, room, name));
}

describe.each(Object.entries(rooms))("%s", (room, others) => {
  const files = sources(room).map((file) => [relative(root, file), file] as const);

  it.each(files)("%s imports from its own room and those below alone", (_, file) => {
    const foreign = imports(file)
      .filter((specifier) => specifier.startsWith("."))
      .map((specifier) => relative(root, join(dirname(file), specifier)))
      .filter((target) => ![room, ...others].includes(target.split("/")[0] as string));
    expect(foreign).toEqual([]);
  });

  if (["config", "plan", "verify", "commands"].includes(room)) {
    it.each(files)("%s knows nothing of Pulumi", (_, file) => {
      expect(imports(file).filter((specifier) => specifier.startsWith("@pulumi"))).toEqual([]);
    });
  }
});

it("a new room gets a line in the table above", () => {
  const own = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .filter((name) => !["test", "node_modules"].includes(name))
    .filter((name) => sources(name).length > 0);
  expect(own.filter((name) => !(name in rooms))).toEqual([]);
});

it("one place drives Pulumi", () => {
  const drivers = sources("commands").filter((file) =>
    /(["'`]pulumi["'`]|automation)/.test(readFileSync(file, "utf8")),
  );
  const elsewhere = drivers
    .map((file) => relative(root, file))
    .filter((name) => !name.startsWith("commands/engine/"));
  expect(elsewhere).toEqual([]);
});

it("the scan sees what it looks for", () => {
  expect(imports(join(root, "components/node/node.ts"))).toContain("@pulumi/command");
  expect(imports(join(root, "plan/plan.ts"))).toContain("./step.ts");
});
