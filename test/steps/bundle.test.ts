import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, expect, it } from "vitest";
import { claimScript, scriptDigest } from "../../steps/bundle.ts";
import { root } from "../root.ts";
import { planOf, stackNames } from "../stacks.ts";

const folder = mkdtempSync(join(tmpdir(), "bundle-"));
afterAll(() => rmSync(folder, { recursive: true }));

const steps = join(root, "steps");
const onNodes = readdirSync(steps, { withFileTypes: true })
  .filter((entry) => entry.isFile() && !/\.ts$|^(claim|release)\.sh$/.test(entry.name))
  .map(({ name }) => name);

it("the claim puts every script on the node, byte for byte", async () => {
  const script = claimScript();
  const scripts = script.slice(script.search(/^put \S+ <</m));
  const put = `put() { cat >${folder}/$1; }\nfacts() { echo facts; }\n`;
  const { stdout } = await execa("bash", ["-s"], { input: put + scripts });
  expect(stdout).toBe("facts");
  expect(readdirSync(folder).sort()).toEqual(onNodes.sort());
  for (const name of onNodes) {
    expect(readFileSync(join(folder, name))).toEqual(readFileSync(join(steps, name)));
  }
});

it("every step of a plan has a script with check and apply", () => {
  const names = stackNames.flatMap((stack) =>
    planOf(stack).nodes.flatMap((node) => Object.values(node.steps).map(({ step }) => step)),
  );
  for (const name of new Set(names)) {
    const script = readFileSync(join(steps, `${name}.sh`), "utf8");
    expect(script).toMatch(/^check\(\) \{/m);
    expect(script).toMatch(/^apply\(\) \{/m);
    expect(scriptDigest(name)).toMatch(/^[0-9a-f]{8}$/);
  }
});
