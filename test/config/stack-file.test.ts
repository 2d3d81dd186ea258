import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadStackFile, project } from "../../config/load.ts";
import { ConfigError } from "../../config/problem.ts";
import { root } from "../root.ts";
import { stack } from "../stack.ts";
import { stackFiles } from "../stacks.ts";

const folder = mkdtempSync(join(tmpdir(), "stack-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(text: string): string {
  const path = join(folder, "Pulumi.x.yaml");
  writeFileSync(path, text);
  return path;
}

/** The valid stack as a stack's file; a section that is a text is there as it is. */
function file(sections: Record<string, unknown> = {}): string {
  const lines = Object.entries({ ...stack(), ...sections }).map(
    ([key, value]) =>
      `  oslo-cluster:${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return `config:\n${lines.join("\n")}\n`;
}

const problems = (text: string) => {
  try {
    loadStackFile(write(text));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe("the example stack", () => {
  const config = loadStackFile(stackFiles.articles);

  it("loads", () => {
    expect(config.nodes.map(({ name, role }) => `${name} ${role}`)).toEqual([
      "cp-1 control-plane",
      "worker-1 worker",
      "worker-2 worker",
    ]);
    expect(config.network.families).toEqual([4, 6]);
    expect(
      config.gatewayApi.routes.map(({ backends }) => (backends ?? []).map((b) => b.weight)),
    ).toEqual([
      [90, 10],
      [90, 10],
      [90, 10],
      [95, 5],
    ]);
  });

  it("gets the defaults that follow from other fields", () => {
    const { cluster } = loadStackFile(stackFiles.services);
    expect(cluster.endpoint).toEqual({ host: "10.30.0.11", port: 6443, isAddress: true });
    expect(config.network.podSubnets).toEqual(["10.244.0.0/16", "fd00:10:244::/56"]);
    expect(config.network.serviceSubnets).toEqual(["10.96.0.0/16", "fd00:10:96::/112"]);
    expect(config.artifacts.kubernetes.url).toBe("https://pkgs.k8s.io/core:/stable:/v1.36/deb");
    expect(config.cilium.operatorReplicas).toBe(2);
  });

  it("is of the project of Pulumi.yaml", async () => {
    const { readFile } = await import("node:fs/promises");
    expect(parse(await readFile(join(root, "Pulumi.yaml"), "utf8")).name).toBe(project);
  });
});

describe("a stack's file", () => {
  it("is taken, with keys of other projects left to them", () => {
    expect(problems(`${file()}  aws:region: eu-north-1\n`)).toEqual([]);
  });

  it("with a section that does not exist is refused", () => {
    expect(problems(file({ netwrk: {} }))).toEqual([
      expect.objectContaining({ path: "netwrk", why: "no such field" }),
    ]);
  });

  it("is read as Pulumi reads it: a bare NO, on and 22:22 are text", () => {
    for (const residency of ["NO", '"NO"', "'NO'", "!!str NO"]) {
      expect(problems(file({ cluster: `{ name: x, residency: ${residency} }` }))).toEqual([]);
    }
    const sysctl = (value: string) => problems(file({ tuning: `{ sysctl: { a.b: ${value} } }` }));
    for (const value of ["on", "22:22", "0x1f", "1_000", "-1", "1.5", "yes", "08:00"]) {
      expect(sysctl(value)).toEqual([]);
    }
  });

  it.each([
    ["2024-01-01", "read as a date"],
    ["2024-1-1 10:00:00", "read as a date"],
    ["18446744073692774399", "loses its last digits"],
    ["9007199254740993", "loses its last digits"],
    ["0o777777777777777777777", "loses its last digits"],
    ["010", "begins with 0"],
    [".inf", "not a number that JSON can write"],
    ["1e999", "too large"],
    ["!mine 5", "a tag of its own"],
  ])(
    "with %s, which does not reach the program as it is written, is reported, with the fix to quote it",
    (value, why) => {
      const text = file({ tuning: `{ sysctl: { a.b: ${value} } }` });
      expect(problems(text)).toEqual([
        expect.objectContaining({
          path: "config.oslo-cluster:tuning.sysctl.a.b",
          why: expect.stringContaining(why),
          at: { line: expect.any(Number), column: expect.any(Number) },
        }),
      ]);
      expect(problems(text.replace(value, '"5"'))).toEqual([]);
    },
  );

  it("may use anchors, aliases and merge keys", () => {
    const text = `${file().replace("config:", "x: &tuning { sysctl: { vm.swappiness: 10 } }\nconfig:")}  oslo-cluster:tuning: { <<: *tuning, ntpServers: [a.no] }\n`;
    expect(problems(text)).toEqual([]);
    const [problem] = problems(text.replace("[a.no]", '["a b"]'));
    expect(problem?.path).toBe("tuning.ntpServers[0]");
  });

  it.each([
    ["an alias of what it is in", "a: &a [*a]\nconfig: {}\n", "without an end"],
    ["an alias of nothing", "config: *none\n", "no anchor of that name"],
    ["a key twice", `${file()}  oslo-cluster:cluster: {}\n`, "a second time"],
    ["a key of a map twice", file({ cluster: "{ name: a, name: b }" }), "a second time"],
    ["a section twice, once without the project", `${file()}  cluster: {}\n`, "the same section"],
    ["a key that is a number", file({ tuning: "{ sysctl: { 5: 1 } }" }), "no text"],
    ["a key that is a list", file({ tuning: "{ [a]: 1 }" }), "a key that is not text"],
    ["a second document", `${file()}---\nconfig: {}\n`, "a second document"],
    ["a tab for a blank", "config:\n\toslo-cluster:cluster: {}\n", "Tabs"],
    [
      "a text without an end",
      file({ cluster: `{ name: ${"a".repeat(30_000)} }` }),
      "20000 characters",
    ],
    [
      "a list without an end",
      file({ tuning: `{ ntpServers: [${"a, ".repeat(6000)}] }` }),
      "5000 entries",
    ],
    ["lines without an end", `${"- a\n".repeat(300_000)}`, "250000 lines"],
    ["brackets without an end", `config: ${"[".repeat(100_000)}`, "nested deeper"],
    [
      "aliases that grow",
      `a0: &a0 [${"x, ".repeat(50)}]\n${Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(50)}]\n`).join("")}config: {}\n`,
      "more than 100000 values",
    ],
  ])("with %s is refused as such, with its place", (_, text, why) => {
    const [problem] = problems(text);
    expect(problem?.why).toContain(why);
    if (!why.includes("lines")) expect(problem?.at?.line).toBeGreaterThan(0);
  });

  it.each([
    ["oslo-cluser:cilium", "did you mean oslo-cluster:cilium?"],
    ["oslo_cluster:cilium", "did you mean oslo-cluster:cilium?"],
    ["oslocluster:gatewayAPI", "did you mean oslo-cluster:gatewayApi?"],
  ])("with the key %s is asked what was meant", (key, fix) => {
    expect(problems(`${file()}  ${key}: {}\n`)).toEqual([
      expect.objectContaining({ path: key, fix }),
    ]);
  });

  it("leaves the keys of providers to them, whatever they are called", () => {
    expect(problems(`${file()}  kubernetes:cluster: a\n  aws:network: b\n`)).toEqual([]);
  });

  it("takes the project's keys in Pulumi's short and old forms", () => {
    const text = file().replace("oslo-cluster:network", "network");
    expect(problems(text.replace("oslo-cluster:cluster", "oslo-cluster:config:cluster"))).toEqual(
      [],
    );
  });

  it("shows line and column of each error, in the file's order, and no character that a terminal obeys", () => {
    const text = `config:
  oslo-cluster:cluster: { name: "a\\e[31m\\nb\\u202e", region: NO-OSL-1 }
  oslo-cluster:cilium:
    l7proxy: false
    loadBalancer:
      mode: drs
`;
    const load = () => loadStackFile(write(text));
    expect(load).toThrow(/ 2:27 cluster\.name: "a\\u001b\[31m\\nb\\u\{202e\}": /);
    expect(load).toThrow(/ 4:5 cilium\.l7proxy: false: no such field; did you mean l7Proxy\?/);
    expect(load).toThrow(/ 6:7 cilium\.loadBalancer\.mode: drs: .*did you mean dsr\?/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    expect(load).not.toThrow(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  });

  it("with a version that YAML takes for a number is reported, with the fix to write it in full", () => {
    expect(problems(file({ kubernetes: "{ version: 1.36 }" }))).toEqual([
      expect.objectContaining({ path: "kubernetes.version", value: 1.36 }),
    ]);
  });

  it.each([
    ["no map", "- a\n"],
    ["empty", ""],
    ["without config", "environment: []\n"],
    ["with a list as config", "config: [1]\n"],
    ["no YAML", "config: {\n"],
  ])("that is %s is refused in one line", (_, text) => {
    const found = problems(text);
    expect(found).toEqual([
      expect.objectContaining({ fix: expect.stringContaining("oslo-cluster:") }),
    ]);
    expect(found[0]?.why).toMatch(/^.+$/);
  });

  it("that is not there is refused with its name", () => {
    expect(() => loadStackFile(join(folder, "none.yaml"))).toThrow(/none\.yaml: 1 error\n.*ENOENT/);
  });
});
