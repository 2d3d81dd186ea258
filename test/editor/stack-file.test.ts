import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { stackFileSchema } from "../../commands/pages/json-schema.ts";
import { schemaFile } from "../../commands/stack-file.ts";
import { project } from "../../config/load.ts";
import { schema } from "../../config/schema.ts";
import { everyText } from "../config/every-text.ts";
import { root } from "../root.ts";
import { LanguageServer } from "./language-server.ts";

const ajv = new Ajv({ strict: false });
const whole = stackFileSchema();
const { definitions } = whole as { definitions: object };
const validate = ajv.compile(whole);
const accepts = (sections: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  validate({
    config: Object.fromEntries(
      Object.entries(sections).map(([name, value]) => [`${project}:${name}`, value]),
    ),
    ...more,
  });

const files = ["Pulumi.dev.yaml", ...examplesIn("examples")];
function examplesIn(folder: string): string[] {
  return readdirSync(join(root, folder)).map((name) => join(folder, name));
}

it("the schema is made of the code; where this fails, run npm run docs", () => {
  expect(JSON.parse(readFileSync(join(root, schemaFile), "utf8"))).toEqual(stackFileSchema());
});

describe.each(files)("%s", (file) => {
  const text = readFileSync(join(root, file), "utf8");

  it("names the schema in its first line", () => {
    const [, named = ""] = text.match(/^# yaml-language-server: \$schema=(\S+)\n/) ?? [];
    expect(resolve(root, dirname(file), named)).toBe(join(root, schemaFile));
  });

  it("fits it", () => {
    validate(parse(text));
    expect(validate.errors ?? []).toEqual([]);
  });
});

describe("the file around the sections", () => {
  const sections = everyText();

  it.each<[string, Record<string, unknown>, boolean]>([
    ["what Pulumi writes", { encryptionsalt: "v1:x", secretsprovider: "passphrase" }, true],
    ["environments", { environment: ["oslo"] }, true],
    ["a field that Pulumi has not", { encryptionSalt: "v1:x" }, false],
  ])("%s", (_, more, isRight) => {
    expect(accepts(sections, more)).toBe(isRight);
  });

  it.each<[string, Record<string, unknown>, boolean]>([
    ["a provider's secret", { "aws:secretKey": { secure: "v1:x" } }, true],
    ["a template's slots", { "oslo-cluster-ephemeral:slots": [] }, true],
    ["a section that is none", { "oslo-cluster:clutser": {} }, false],
    ["a word without a project", { clutser: {} }, false],
    ["a secret in a field of the cluster", { "oslo-cluster:tuning": { secure: "v1:x" } }, false],
  ])("%s", (_, more, isRight) => {
    const config = Object.entries(sections).map(([name, value]) => [`${project}:${name}`, value]);
    expect(validate({ config: { ...Object.fromEntries(config), ...more } })).toBe(isRight);
  });

  it.each(["", "oslo-cluster:config:"])("Pulumi's other spelling of a key: %jcluster", (prefix) => {
    const { cluster, ...others } = sections;
    const own = Object.entries(others).map(([name, value]) => [`${project}:${name}`, value]);
    const config = Object.fromEntries(own);
    expect(validate({ config: { ...config, [`${prefix}cluster`]: cluster } })).toBe(true);
    expect(validate({ config: { ...config, [`${prefix}cluster`]: {} } })).toBe(false);
    expect(validate({ config })).toBe(false);
  });
});

/** What JSON schema cannot say: zod's own checks of a value, and what is read after it was changed. */
const beyond = new Set(["custom"]);

describe("the schema and zod agree on", () => {
  const corpora: [string, Record<string, unknown>][] = [
    ["fields of text", everyText()],
    ...examplesIn("examples").map((file): [string, Record<string, unknown>] => [
      file,
      sectionsIn(file),
    ]),
  ];
  it.each(corpora)("%s, and on each of its values put wrong", (_, sections) => {
    expect(accepts(sections)).toBe(true);
    const disagreements: string[] = [];
    let refused = 0;
    for (const [name, section] of Object.entries(sections)) {
      const zod = schema.shape[name as keyof typeof schema.shape];
      const json = ajv.compile({ definitions, $ref: `#/definitions/${name}` });
      for (const changed of variantsOf(section)) {
        const { error } = zod.safeParse(changed);
        const isAccepted = json(changed);
        if (error && !isAccepted) refused++;
        const isExpected = error
          ? !isAccepted || error.issues.every(({ code }) => beyond.has(code))
          : isAccepted;
        if (!isExpected)
          disagreements.push(JSON.stringify([name, changed, error?.issues ?? json.errors]));
      }
    }
    expect(disagreements).toEqual([]);
    expect(refused).toBeGreaterThan(100);
  });
});

describe("an editor with the YAML language server", { timeout: 600_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "editor-"));
  let server: LanguageServer;
  beforeAll(async () => {
    server = new LanguageServer();
    await server.start(pathToFileURL(folder).href);
  }, 600_000);
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  /** A document whose cursor is at the mark |. */
  async function at(name: string, marked: string) {
    const uri = pathToFileURL(join(folder, name)).href;
    const head = `# yaml-language-server: $schema=${pathToFileURL(join(root, schemaFile)).href}\n`;
    const text = head + marked;
    const lines = text.slice(0, text.indexOf("|")).split("\n");
    const position = { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
    const diagnostics = await server.open(uri, text.replace("|", ""));
    return { diagnostics, where: { textDocument: { uri }, position } };
  }

  async function completions(name: string, marked: string): Promise<string[]> {
    const { where } = await at(name, marked);
    const { items } = (await server.ask("textDocument/completion", where)) as {
      items: { label: string }[];
    };
    return items.map(({ label }) => label);
  }

  it("completes sections, fields and choices", async () => {
    const sections = await completions("Pulumi.a.yaml", "config:\n  oslo|\n");
    expect(sections).toEqual(
      expect.arrayContaining(Object.keys(schema.shape).map((name) => `${project}:${name}`)),
    );
    const fields = await completions(
      "Pulumi.b.yaml",
      "config:\n  oslo-cluster:network:\n    vlan:\n      |\n",
    );
    expect(fields).toEqual(expect.arrayContaining(["subnets", "gateways", "interface"]));
    const modes = await completions(
      "Pulumi.c.yaml",
      "config:\n  oslo-cluster:cilium:\n    loadBalancer:\n      mode: |\n",
    );
    expect(modes).toEqual(expect.arrayContaining(["dsr", "hybrid", "snat"]));
    expect(await completions("Pulumi.d.yaml", "|\n")).toEqual(
      expect.arrayContaining(["config", "encryptionsalt", "secretsprovider"]),
    );
  });

  it("says over a field what it is, and what changing it does", async () => {
    const { where } = await at(
      "Pulumi.e.yaml",
      "config:\n  oslo-cluster:cluster:\n    na|me: oslo\n",
    );
    const { contents } = (await server.ask("textDocument/hover", where)) as {
      contents: { value: string };
    };
    expect(contents.value).toMatch(/The cluster's name.*on a living cluster: impossible/);
  });

  it("marks what is wrong where it is", async () => {
    const { diagnostics } = await at(
      "Pulumi.f.yaml",
      "config:\n  oslo-cluster:cluster:\n    name: oslo\n    reigon: NO-OSL-1\n|",
    );
    const lines = diagnostics.map(({ message, range }) => `${range.start.line}: ${message}`);
    expect(lines).toContainEqual(expect.stringMatching(/^4: .*reigon/));
  });
});

function sectionsIn(file: string): Record<string, unknown> {
  const { config } = parse(readFileSync(join(root, file), "utf8")) as {
    config: Record<string, unknown>;
  };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.replace(`${project}:`, ""), value]),
  );
}

const wrong = [
  undefined,
  null,
  true,
  -1,
  1.5,
  70000,
  "",
  "a b",
  "Ü".repeat(300),
  [],
  [1],
  {},
  { a: 1 },
];

/** The value with each place in it put wrong, in each way. */
function* variantsOf(value: unknown): Generator<unknown> {
  for (const path of pathsIn(value)) for (const one of wrong) yield withValue(value, path, one);
}

type Path = (string | number)[];

/** Every place in a value, the first of each list. */
function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const entries = Array.isArray(value) ? [[0, value[0]] as const] : Object.entries(value);
  const below = entries.flatMap(([key, child]) => pathsIn(child, [...path, key]));
  return path.length === 0 ? below : [path, ...below];
}

function withValue(root: unknown, path: Path, value: unknown): unknown {
  const copy = structuredClone(root) as Record<string | number, unknown>;
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key] as typeof at;
  const last = path.at(-1) as string | number;
  if (value !== undefined) at[last] = value;
  else if (Array.isArray(at)) at.splice(last as number, 1);
  else delete at[last];
  return copy;
}
