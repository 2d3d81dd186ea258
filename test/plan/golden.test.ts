import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, inject, it } from "vitest";
import { planFiles } from "../../plan/files.ts";
import { plan } from "../../plan/plan.ts";
import { root } from "../root.ts";
import { configOf, planOf, stackNames } from "../stacks.ts";

/** Upstream's own files; plan/gateway-api.test.ts looks at them. */
const upstream = /\/customresourcedefinition-/;

// `npm run test:unit -- -u` writes the files again; the commit shows what changes on nodes.
describe.each(stackNames)("the plan of %s", (name) => {
  const golden = join(root, "test/golden", name);
  const files = [...planFiles(planOf(name))].filter(([path]) => !upstream.test(path));

  it.each(files)("%s", async (path, content) => {
    await expect(content).toMatchFileSnapshot(join(golden, path));
  });

  it("has no other files", () => {
    const present = existsSync(golden)
      ? readdirSync(golden, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(golden.length + 1))
      : [];
    const rendered = new Set(files.map(([path]) => path));
    const stale = present.filter((path) => !rendered.has(path));
    if (inject("updatesGoldenFiles")) for (const path of stale) rmSync(join(golden, path));
    else expect(stale).toEqual([]);
  });

  it("is the same a second time, to the byte and in the same order", () => {
    const again = planFiles(plan(configOf(name)));
    expect([...again].filter(([path]) => !upstream.test(path))).toEqual(files);
  });
});
