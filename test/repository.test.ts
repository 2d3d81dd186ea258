import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { root } from "./root.ts";

const read = (name: string) => readFileSync(join(root, name), "utf8");
const manifest = JSON.parse(read("package.json"));

describe("the repository", () => {
  it("has the license that package.json names", () => {
    expect(manifest.license).toBe("Apache-2.0");
    expect(read("LICENSE")).toMatch(/Apache License\s+Version 2\.0, January 2004/);
  });

  it("says which Node it takes, and brings one by checksum", () => {
    expect(manifest.engines.node).toMatch(/^>=\d+\.\d+$/);
    const { packages } = JSON.parse(read("package-lock.json"));
    for (const [name, version] of Object.entries(manifest.optionalDependencies))
      expect(packages[`node_modules/${name}`]).toMatchObject({
        version,
        integrity: expect.stringMatching(/^sha512-/),
      });
  });

  it("has the product, its examples and its test at the top, and no folder besides", () => {
    const folders = readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
      .map(({ name }) => name)
      .filter((name) => !["dist", "node_modules"].includes(name));
    const product = ["commands", "components", "config", "plan", "policy", "steps", "verify"];
    expect(folders.sort()).toEqual([...product, "docs", "examples", "test"].sort());
  });

  it("reads no stack of the user's in its tests: those of examples/ are for that", () => {
    const named = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .filter((name) => /\(root, ["`]Pulumi\.\w+\.yaml/.test(read(join("test", name))));
    expect(named).toEqual([]);
  });

  it("has templates that GitHub takes", () => {
    const folder = ".github/ISSUE_TEMPLATE";
    const forms = readdirSync(join(root, folder)).filter((name) => name !== "config.yml");
    expect(forms.length).toBeGreaterThan(1);
    for (const form of forms) {
      const { name, description, body } = parse(read(join(folder, form)));
      expect([typeof name, typeof description]).toEqual(["string", "string"]);
      const ids = body.flatMap(({ id }: { id?: string }) => id ?? []);
      expect(new Set(ids).size).toBe(ids.length);
      for (const { type, attributes } of body)
        expect(type === "markdown" ? attributes.value : attributes.label).toBeTruthy();
    }
  });
});
