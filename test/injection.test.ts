import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execaSync } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadConfig, sectionsOf } from "../config/load.ts";
import { ConfigError } from "../config/problem.ts";
import { schema } from "../config/schema.ts";
import type { HypervisorDocument } from "../plan/libvirt/document.ts";
import { type ClusterPlan, plan } from "../plan/plan.ts";
import { renderStep, type StepDocument } from "../plan/step.ts";
import { hypervisorScript } from "../steps/hypervisor/bundle.ts";
import { ssh } from "../steps/ssh/command.ts";
import { nodeReach } from "../steps/ssh/target.ts";
import { everyText } from "./config/every-text.ts";
import { replaced, stringFields } from "./config/string-fields.ts";
import { root } from "./root.ts";
import { stackFiles } from "./stacks.ts";

// From each field that takes text, through the rendered bytes, to the program that reads them: what is
// taken arrives as it is, and nothing of it runs.

const payloads = [
  "\nX='1'\n>canary\n",
  "\r\n>canary",
  "'; >canary; '",
  '"; >canary; "',
  "$(>canary)",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's.
  "${x:=$(>canary)}",
  "`>canary`",
  "; >canary;",
  "| >canary",
  "& >canary",
  "]]><x/>",
  "&amp;",
  "%n%s",
  "\0",
  "\u001b[31m",
  "\\",
  "OSLO_CLUSTER_END",
  "@HOST_KEY@",
  "\u2028x",
  "\t",
];
const placed = (payload: string) => [
  (old: string) => `${old}${payload}`,
  (old: string) => `${old} ${payload}`,
  (old: string) => `${payload}${old}`,
];

/** A rule refuses them in any spelling: Cilium takes DNS rules for egress alone. */
const neverTaken = ["matchName", "matchPattern"].map(
  (key) => `policies.networkPolicies[].ingress[].toPorts[].rules.dns[].${key}`,
);

type Sections = Record<string, unknown>;
const bases: Sections[] = [
  everyText(),
  ...Object.values(stackFiles).map((path) => sectionsOf(path)),
];
const fields = [...new Set(stringFields(schema))].filter((path) => !neverTaken.includes(path));
const baseOf = (path: string) =>
  bases.find((base) => replaced(base, path, (old) => old) !== undefined);
const sandbox = mkdtempSync(join(tmpdir(), "injection-"));
afterAll(() => rmSync(sandbox, { recursive: true }));

/** A text in a field of a stack, which takes it. */
interface Taken {
  path: string;
  place: (old: string) => string;
  what: string;
  base: Sections;
}

const load = (sections: Sections) => loadConfig(sections, "test.yaml");
function planOf(sections: Sections): ClusterPlan {
  const config = load(sections);
  // Upstream's CRDs hold nothing of the stack's, and are long.
  return plan({ ...config, gatewayApi: { ...config.gatewayApi, enabled: false } });
}

const taken: Taken[] = [];
const crashes: string[] = [];
let tried = 0;
for (const path of fields) {
  const base = baseOf(path);
  if (base === undefined) continue;
  const [section = ""] = path.split(/[.[{]/);
  for (const payload of payloads) {
    for (const place of placed(payload)) {
      tried++;
      const sections = replaced(base, path, place) as Sections;
      const type = schema.shape[section as keyof typeof schema.shape];
      if (!type.safeParse(sections[section]).success) continue;
      const what = `${path} ${JSON.stringify(place("…"))}`;
      try {
        load(sections);
        taken.push({ path, place, what, base });
      } catch (error) {
        if (!(error instanceof ConfigError)) crashes.push(`${what}: ${error}`);
      }
    }
  }
}

const planned = bases.flatMap((base) => {
  const groups: Taken[][] = [];
  // Of each field one text, all in one plan.
  let left = taken.filter((one) => one.base === base);
  while (left.length > 0) {
    const group = new Map(left.map((one) => [one.path, one]));
    groups.push([...group.values()]);
    left = left.filter((one) => group.get(one.path) !== one);
  }
  const original = { plan: planOf(base), texts: [] as Taken[] };
  const all = [original, ...groups.flatMap(together)];
  return all.map((one) => ({ ...one, original: original.plan }));
});
const everyPlan = planned.map((one) => one.plan);

/** The plan with these texts; several, where a rule refuses some of them beside one another. */
function together(texts: Taken[]): { plan: ClusterPlan; texts: Taken[] }[] {
  const all = texts.reduce<unknown>(
    (sections, { path, place }) => replaced(sections, path, place),
    texts[0]?.base,
  );
  try {
    return [{ plan: planOf(all as Sections), texts }];
  } catch (error) {
    const half = texts.length / 2;
    if (half >= 1) return [texts.slice(0, half), texts.slice(half)].flatMap(together);
    crashes.push(`${texts[0]?.what}: ${error}`);
    return [];
  }
}

describe("texts that a stack's file may hold", () => {
  it("are all tried, in stacks that are taken as they are", () => {
    expect(fields.filter((path) => baseOf(path) === undefined)).toEqual([]);
    expect(fields.length).toBeGreaterThan(150);
    expect(tried).toBe(fields.length * payloads.length * 3);
    expect(taken.length).toBeGreaterThan(500);
    expect(planned.flatMap(({ texts }) => texts)).toHaveLength(taken.length);
  });

  it("are taken or refused with an error that a person can correct", () => {
    expect(crashes).toEqual([]);
  });

  it("hold no NUL and no escape, wherever they are taken", () => {
    expect(taken.filter(({ what }) => /\\u0000|\\u001b|\u2028/.test(what))).toEqual([]);
  });
});

describe("what is taken", () => {
  it("stays in its own line and its own document", () => {
    const wrong = planned.filter(({ plan, original }) => shapeOf(plan) !== shapeOf(original));
    expect(wrong.flatMap(({ texts }) => texts.map(({ what }) => what))).toEqual([]);
  });

  it("arrives on nodes as it is, and runs nothing", () => {
    const documents = new Map<string, StepDocument>();
    for (const { nodes, ready, probe } of everyPlan) {
      const steps = nodes.flatMap((node) => Object.values(node.steps));
      for (const document of [...steps, ready, ...Object.values(probe?.documents ?? {})]) {
        documents.set(renderStep(document), document);
      }
    }
    const works = [...documents].map(([text, { files }], i) => {
      for (const path of Object.keys(files))
        mkdirSync(join(sandbox, `step-${i}/files`, dirname(path)), { recursive: true });
      return put(`step-${i}`, "document", text);
    });
    const reader = readFileSync(join(root, "steps/oslo-step"), "utf8").replace(
      '\nmain "$@"\n',
      "\n",
    );
    // Without a process for each directory, document and variable.
    const read = `${reader}
mkdir() { [[ -d $2 ]] || command mkdir "$@"; }
rm() { :; }
for work in "$@"; do
  unpack "$work"
  (source "$work/vars"; while IFS== read -r name _; do printf '%s\\0%s\\0' "$name" "\${!name}"; done <"$work/vars" >"$work/read")
done`;
    bash(read, works);
    for (const [i, { vars, files }] of [...documents.values()].entries()) {
      const folder = works[i] as string;
      expect(pairs(readFileSync(join(folder, "read"), "utf8"))).toEqual(vars);
      for (const [path, content] of Object.entries(files)) {
        expect(readFileSync(join(folder, "files", path), "utf8")).toBe(content);
      }
    }
  });

  it("arrives on hypervisors as it is, and runs nothing", () => {
    const documents = new Map<string, HypervisorDocument>();
    for (const { hypervisors, nodes } of everyPlan) {
      const own = hypervisors.flatMap(({ preflight, vlan, image }) => [preflight, vlan, image]);
      const ofGuests = nodes.flatMap(({ guest }) =>
        guest ? [guest.guest, guest.domain, guest.live] : [],
      );
      for (const document of [...own, ...ofGuests])
        documents.set(hypervisorScript(document), document);
    }
    const works = [...documents].map(([script, { vars }], i) => {
      const words = Object.keys(vars)
        .map((name) => `'${name}' "$${name}"`)
        .join(" ");
      const show = `printf '%s\\0' ${words} >read; cp -r "$WORK" files`;
      return put(`document-${i}`, "script", script.replace('main "$1" </dev/null', show));
    });
    bash('for work in "$@"; do cd "$work"; bash -n script; bash script; done', works);
    for (const [i, { vars, files }] of [...documents.values()].entries()) {
      const folder = works[i] as string;
      expect(pairs(readFileSync(join(folder, "read"), "utf8"))).toEqual(vars);
      for (const [name, content] of Object.entries(files)) {
        expect(readFileSync(join(folder, "files", name), "utf8")).toBe(`${content.trimEnd()}\n`);
      }
      expect(existsSync(join(folder, "canary"))).toBe(false);
    }
  });

  it("arrives in ssh's arguments as it is, and runs nothing", () => {
    const lines = new Map<string, string[]>();
    for (const made of everyPlan) {
      for (const node of made.nodes) {
        const reach = nodeReach(made, node, node.reach.hostKey ?? "ssh-ed25519 AAAA");
        lines.set(ssh(reach, "true"), [...reach.sshArguments, "true"]);
      }
    }
    const stdout = bash(
      `ssh() { printf '%s\\0' "$@" END; }\n${[...lines.keys()].join("\n")}\n`,
      [],
    );
    const calls = stdout.split("\0END\0").slice(0, -1);
    expect(calls.map((call) => call.split("\0"))).toEqual([...lines.values()]);
  });
});

/** Of documents in which a text cannot change how many lines, keys and elements there are. */
function shapeOf({ nodes, hypervisors }: ClusterPlan): string {
  const documents = [
    ...nodes.flatMap((node) => Object.values(node.steps)),
    ...nodes.flatMap(({ guest }) => (guest ? [guest.guest, guest.domain, guest.live] : [])),
    ...hypervisors.flatMap(({ preflight, vlan, image }) => [preflight, vlan, image]),
  ];
  return JSON.stringify(
    documents.map(({ vars, files }) => [
      Object.keys(vars),
      Object.values(vars).map((value) => value.split(/[\r\n]/).length),
      Object.entries(files).map(([name, text]) => [
        text.split(/[\r\n]/).length,
        name.endsWith(".xml") ? text.match(/<[/\w]+|\w+=/g) : "",
        /data$|config$/.test(name) ? Object.keys(parse(text) ?? {}) : "",
      ]),
    ]),
  );
}

function put(folder: string, name: string, text: string): string {
  const path = join(sandbox, folder);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, name), text);
  return path;
}

function pairs(text: string): Record<string, string> {
  const words = text.split("\0").slice(0, -1);
  return Object.fromEntries(
    words.flatMap((word, i) => (i % 2 === 0 ? [[word, words[i + 1] ?? ""]] : [])),
  );
}

/** In the sandbox, where a payload that runs leaves a file. */
function bash(script: string, args: string[]): string {
  const path = join(put("run", "script", script), "script");
  const { stdout } = execaSync("bash", [path, ...args], { cwd: sandbox, env: { TMPDIR: sandbox } });
  expect(existsSync(join(sandbox, "canary"))).toBe(false);
  return stdout;
}
