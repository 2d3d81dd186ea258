import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { labels } from "../commands/impact/report.ts";
import { generated, renderPage } from "../commands/pages/page.ts";
import { parsePath } from "../config/issues.ts";
import { apiBalancerPort, probePort } from "../config/ports.ts";
import { schema } from "../config/schema.ts";
import { typeAt } from "../config/shape.ts";
import { directives } from "../plan/directives.ts";
import { policies } from "../policy/policies.ts";
import { boundSeconds, times } from "../verify/failover.ts";
import { promises } from "../verify/promises.ts";
import { root } from "./root.ts";
import { problemsOf, stack } from "./stack.ts";
import { configOf } from "./stacks.ts";

const readme = readFileSync(join(root, "README.md"), "utf8");
const page = (path: string) => readFileSync(join(root, path), "utf8");
const pages = ["docs/reviewers.md", "docs/ci.md"].map((path): [string, string] => [
  path,
  page(path),
]);
const all = readdirSync(join(root, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name): [string, string] => [`docs/${name}`, page(`docs/${name}`)])
  .concat([["README.md", readme]]);
const everything = all.map(([, text]) => text).join("\n");
const config = configOf("articles");

/** The cells of the README's row whose first cells are these. */
function row(...first: string[]): string[] | undefined {
  const lines = everything.split("\n").filter((line) => line.startsWith("| "));
  const rows = lines.map((line) => line.slice(2, -2).split(" | "));
  return rows.find((cells) => first.every((cell, i) => cells[i] === cell));
}

describe.each(Object.keys(generated))("the tables of %s", (path) => {
  const text = page(path);

  it("are those of the code; where this fails, run npm run docs", () => {
    expect(renderPage(path, text, config)).toBe(text);
  });

  it("are made again from whatever is between the markers", () => {
    const altered = text.replace(/(<!-- generated: \S+ -->\n)/, "$1stale\n");
    expect(altered).not.toBe(text);
    expect(renderPage(path, altered, config)).toBe(text);
  });

  it.each([
    ["another marker", `${text}<!-- generated: nonsense -->\n<!-- /generated -->\n`],
    ["no marker", text.replace(/<!-- generated: \S+ -->/, "")],
    ["a marker twice", `${text}${text}`],
  ])("refuse %s", (_, altered) => {
    expect(() => renderPage(path, altered, config)).toThrow(/^docs\/.+\.md: .+; (add|remove) /);
  });
});

it("the articles' table changes with the plan", () => {
  const other = { ...config, network: { ...config.network, mtu: 1450 } };
  const path = "docs/articles.md";
  expect(renderPage(path, page(path), other)).toContain("| `MTU: 1450` |");
});

it("the README is read in one go, and names every page", () => {
  expect(readme.split("\n").length).toBeLessThanOrEqual(200);
  for (const [path] of all.slice(0, -1)) expect(readme).toContain(`](${path})`);
});

describe("the configuration's tables", () => {
  it.each(Object.keys(schema.shape))("have the section %s, each field with its impact", (name) => {
    const section =
      page("docs/configuration.md")
        .split(`\n#### ${name}\n`)[1]
        ?.split(/\n#+ |\n<!--/)[0] ?? "";
    const rows = section.split("\n").filter((line) => line.startsWith(`| \`${name}.`));
    expect(rows.length).toBeGreaterThan(0);
    for (const line of rows) {
      expect(line).toMatch(/ \| (live|restart|drain|recreate|impossible|none) \| \S.* \|$/);
    }
  });

  it.each([
    ["a required field", "`cluster.name`", "DNS label", "**required**"],
    ["a choice", "`cilium.loadBalancer.mode`", "`dsr`, `hybrid`, `snat`", "`dsr`"],
    ["a range", "`network.mtu`", "integer 1280–9216", "`1500`"],
    ["a default behind a transformation", "`artifacts.charts`", "URL", "`https://helm.cilium.io`"],
    ["a default that follows", "`network.podSubnets`", "list of CIDRs"],
    ["an empty default", "`gatewayApi.routes`", "list of objects", "none"],
    ["a field of a list's items", "`nodes.existing[].ssh.port`", "integer 1–65535", "`22`"],
    ["a refined format", "`ssh.bastion.host`", "host name or address", "**required**"],
  ])("show %s", (_, ...cells) => {
    expect(row(...cells)).toBeDefined();
  });
});

describe("messages name what there is", () => {
  const text = [
    ...promises.flatMap(({ proof, fix }) => [proof, fix]),
    ...sources("steps")
      .flatMap((script) => script.split("\n"))
      .filter((line) => /\b(die|echo|say) "/.test(line)),
    ...sources("config/rules")
      .flatMap((script) => script.split("\n"))
      .filter((line) => /\b(why|fix): ["`]/.test(line))
      .map((line) => line.replace(/\$\{[^}]*\}/g, "")),
  ].join("\n");

  it("fields of the configuration", () => {
    const sections = Object.keys(schema.shape).join("|");
    const named = [
      ...text.matchAll(new RegExp(`(?<![\\w./-])(?:${sections})(?:(?:\\[\\])?\\.[a-z]\\w*)+`, "g")),
    ].map(([path]) => path);
    expect(named.length).toBeGreaterThan(30);
    const lacking = named.filter(
      (path) => typeAt(schema, parsePath(path.replaceAll("[]", "[0]"))) === undefined,
    );
    // Names of other things.
    expect(lacking.filter((path) => !/^kubernetes\.(default|io)$/.test(path))).toEqual([]);
  });

  it("pages", () => {
    const named = [...text.matchAll(/\bdocs\/[a-z-]+\.md/g)].map(([path]) => path);
    expect(named.length).toBeGreaterThan(1);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe("numbers in the pages are those of the code", () => {
  const minor = (version: string) => version.split(".").slice(0, 2).join(".");
  const { engines, dependencies } = JSON.parse(page("package.json"));
  const share = config.backup.everyMinutes / 3;

  it.each([
    ["README.md", `kubeadm ${minor(config.kubernetes.version)} without`],
    ["README.md", `Cilium ${minor(config.cilium.version)} with`],
    ["README.md", `${share} minutes with three control planes`],
    ["docs/operations.md", `${share} minutes with three control planes`],
    ["docs/getting-started.md", `Node ${engines.node.replace(">=", "")} or newer`],
    ["docs/networking.md", `UDP port ${probePort} of the VLAN`],
    ["docs/control-planes.md", `127.0.0.1:${apiBalancerPort}`],
    ["docs/verification.md", `twice for ${times.cut} s`],
    ["docs/verification.md", `must be at most ${boundSeconds} s`],
    ["docs/verification.md", `by a timer on the node after ${times.timer} s`],
    ["CHANGELOG.md", `Pulumi's SDK is ${minor(dependencies["@pulumi/pulumi"])}`],
    ["CHANGELOG.md", `its CLI ${page(".pulumi.version").trim()}`],
  ])("%s: %s", (path, text) => {
    expect(page(path)).toContain(text);
  });
});

it("every directive has its row", () => {
  const missing = directives(config).filter(
    ({ applied }) => !page("docs/articles.md").includes(`\`${applied.replaceAll("|", "\\|")}\``),
  );
  expect(missing).toEqual([]);
});

it.each(
  directives(config).map(({ says, why, source }): [string, string, string] => [says, why, source]),
)("the directive %s is where its row says", (says, why, source) => {
  const text = page(source.startsWith("commands/") ? "plan/directives.ts" : source);
  const plain = text.replaceAll('\\"', '"');
  expect(plain.includes(says) || plain.includes(why)).toBe(true);
  expect(existsSync(join(root, source))).toBe(true);
});

describe("what the README tells to type", () => {
  it("is a configuration that is taken", () => {
    const text = page("docs/networking.md").split("\n## Cilium, gateways, policies\n")[1] ?? "";
    const [, block = ""] = text.match(/```yaml\n([\s\S]*?)```/) ?? [];
    const sections = Object.entries(parse(block)).map(([key, value]) => [
      key.replace("oslo-cluster:", ""),
      value,
    ]);
    expect(sections.map(([name]) => name)).toEqual(["cilium", "gatewayApi", "policies"]);
    expect(problemsOf({ ...stack(), ...Object.fromEntries(sections) })).toEqual([]);
  });

  it("sets variables that the code reads", () => {
    const named = new Set([...everything.matchAll(/OSLO_LAB_[A-Z_]+/g)].map(([name]) => name));
    expect(named.size).toBeGreaterThan(3);
    const code = ["components", "test/lab", "test/e2e"].flatMap(sources).join("\n");
    expect([...named].filter((name) => !code.includes(name))).toEqual([]);
  });

  it("names the file that render writes for worker-1's kernel", () => {
    const golden = readdirSync(join(root, "test/golden/articles/nodes/worker-1/steps"));
    const [, file] = everything.match(/nodes\/worker-1\/steps\/(\S+kernel\.yaml)/) ?? [];
    expect(golden).toContain(file);
  });
});

describe("the pages", () => {
  const golden = readFileSync(join(root, "test/golden/impact/recreate.md"), "utf8");

  it("show a comment as it is; where this fails, put the golden file between the markers", () => {
    const [, shown] =
      pages[0]?.[1].match(/<!-- golden: recreate -->\n([\s\S]*?)<!-- \/golden -->/) ?? [];
    expect(shown).toBe(golden);
  });

  it("quote messages and name resources that there are, where an up may stop", () => {
    const [, section = ""] = page("docs/getting-started.md").split("| If it stops there |");
    const rows = section.split("\n\n")[0]?.split("\n| ").slice(2) ?? [];
    expect(rows.length).toBeGreaterThan(5);
    const code = ["components", "steps", "plan"].flatMap(sources).join("\n");
    const resources = readFileSync(join(root, "test/golden/resources-articles.txt"), "utf8");
    for (const [what = "", , , says = ""] of rows.map((cells) => cells.split(" | "))) {
      for (const [, name] of what.matchAll(/`…?([\w-]+)`/g)) expect(resources).toContain(name);
      for (const [, words = ""] of says.matchAll(/`([^`]+)`/g))
        if (!/^(ssh-add|journalctl|npm|gates)/.test(words)) expect(code).toContain(words);
    }
  });

  it("name every label, every policy and every workflow", () => {
    const [reviewers, ci] = pages.map(([, text]) => text);
    for (const label of labels) expect(reviewers).toMatch(new RegExp(`^\\| \`${label}\` \\|`, "m"));
    for (const { name } of policies) expect(ci).toContain(`| \`${name}\` |`);
    for (const name of readdirSync(join(root, ".github/workflows")))
      expect(ci).toContain(`| \`${name}\` |`);
  });

  it("name every secret that the workflows take", () => {
    const workflows = readdirSync(join(root, ".github/workflows"))
      .map((name) => readFileSync(join(root, ".github/workflows", name), "utf8"))
      .join("\n");
    const taken = new Set([...workflows.matchAll(/secrets\.([A-Z_]+)/g)].map(([, name]) => name));
    expect(taken.size).toBeGreaterThan(4);
    const ci = pages.find(([path]) => path.endsWith("ci.md"))?.[1] ?? "";
    for (const name of taken) expect(ci).toContain(`\`${name}\``);
  });
});

function sources(room: string): string[] {
  return readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(ts|mjs|sh)$/.test(name))
    .map((name) => readFileSync(join(root, room, name), "utf8"));
}
