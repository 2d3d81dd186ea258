import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { deriveSections } from "../../../commands/ephemeral/derive.ts";
import { allocate } from "../../../commands/ephemeral/leases.ts";
import { readTemplate } from "../../../commands/ephemeral/template.ts";
import { loadConfig } from "../../../config/load.ts";
import { hostKey } from "../../host-key.ts";
import { root } from "../../root.ts";
import { machine } from "./template.ts";

describe("a template", () => {
  const folder = mkdtempSync(join(tmpdir(), "template-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const read = (config: Record<string, unknown>) => {
    const file = join(folder, "t.yaml");
    writeFileSync(file, stringify({ config }));
    return readTemplate(file);
  };
  it("as docs/ci.md has it is taken, and makes clusters", () => {
    const page = readFileSync(join(root, "docs/ci.md"), "utf8");
    const blocks = [...page.matchAll(/```yaml\n(config:\n[\s\S]*?)```/g)]
      .map(([, text = ""]) => text)
      .filter((text) => text.includes("oslo-cluster-ephemeral:"));
    let key = 0;
    const texts = blocks.map((text) =>
      text
        .replace(/ssh-ed25519 …/g, () => hostKey(key++))
        .replace(/<from[^>]*>/, "0".repeat(128))
        .replace(/<a line[^>]*>/, hostKey("operator")),
    );
    const names = texts.map((text) => {
      const template = read(parse(text).config);
      const sections = deriveSections(template, "pr-17", allocate(template, []));
      return loadConfig(sections, "derived").nodes.map(({ name, addresses }) => [
        name,
        ...addresses,
      ]);
    });
    expect(names).toEqual([
      [
        ["vps-1", "10.10.0.11"],
        ["vps-2", "10.10.0.12"],
      ],
      [
        ["control-plane-1", "10.31.0.11"],
        ["worker-1", "10.31.0.21"],
      ],
    ]);
  });

  const given = { ...machine(0), ssh: { hostKey: hostKey(0) } };

  it("has its own keys beside the configuration", () => {
    const template = read({
      "oslo-cluster:cluster": { name: "ci" },
      "oslo-cluster-ephemeral:pool": { machines: [given] },
    });
    expect(template.sections).toEqual({ cluster: { name: "ci" } });
    expect(template.pool).toEqual({ controlPlanes: 1, workers: 1, machines: [machine(0)] });
  });

  it.each([
    ["an unknown key", { "oslo-cluster-ephemeral:slot": [] }],
    [
      "a machine twice",
      { "oslo-cluster-ephemeral:pool": { machines: [given, { ...given, name: "b" }] } },
    ],
    [
      "a machine with a role",
      { "oslo-cluster-ephemeral:pool": { machines: [{ ...given, role: "worker" }] } },
    ],
  ])("with %s is refused", (_, config) => {
    expect(() => read(config)).toThrow(/oslo-cluster-ephemeral:/);
  });
});
