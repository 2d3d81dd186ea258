import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { renderStep, type StepDocument, step } from "../../plan/step.ts";
import { root } from "../root.ts";
import { planOf, stackNames } from "../stacks.ts";

const folder = mkdtempSync(join(tmpdir(), "round-trip-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** oslo-step without its last line, which runs it. */
const script = readFileSync(join(root, "steps/oslo-step"), "utf8").replace(/\nmain "\$@"\n$/, "\n");
const reader = `${script}
for work in "$@"; do
  unpack "$work"
  (
    source "$work/vars"
    while IFS= read -r name; do printf '%s\\0%s\\0' "$name" "\${!name}"; done \\
      < <(sed 's/=.*//' "$work/vars") >"$work/read"
  )
done
`;

/** Documents as the node's own parser reads them, in one run of it. */
function readOnNode(texts: string[]): Pick<StepDocument, "vars" | "files">[] {
  const batch = mkdtempSync(join(folder, "batch-"));
  const works = texts.map((text, i) => {
    const work = join(batch, String(i));
    mkdirSync(work);
    writeFileSync(join(work, "document"), text);
    return work;
  });
  execaSync("bash", ["-c", reader, "oslo-step", ...works]);
  return works.map((work) => {
    const words = readFileSync(join(work, "read"), "utf8").split("\0").slice(0, -1);
    const vars = Object.fromEntries(
      words.flatMap((word, i) => (i % 2 === 0 ? [[word, words[i + 1] as string]] : [])),
    );
    return { vars, files: filesBelow(join(work, "files")) };
  });
}

function filesBelow(directory: string): Record<string, string> {
  let entries: ReturnType<typeof list> = [];
  try {
    entries = list(directory);
  } catch {} // no files, no directory
  return Object.fromEntries(
    entries.map((path) => [path.slice(directory.length), readFileSync(path, "utf8")]),
  );
}

function list(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const lines = [
  "plain",
  `"double" 'single' \`back\``,
  "back\\slash \\n \\\\",
  `$HOME \${HOME} $(id) $`,
  "ends in a dollar $",
  "ends in a backslash \\",
  "  indented by two",
  "    indented by four",
  "\tindented by a tab",
  "vars:",
  "files:",
  "secrets:",
  "step: other",
  "/etc/other: |",
  "  /etc/other: |",
  '  KEY: "value"',
  "# comment",
  "- item",
  "---",
  "%s %q %d",
  "*",
  "!tag &anchor *alias",
  "trailing blanks  ",
  "blåbærgrøt ✓",
  "",
  "",
  "after two empty lines",
];

const crafted: [name: string, document: StepDocument][] = [
  ["nothing at all", step("swap")],
  ["settings alone", step("kernel", { A: "", B: "a b", C: "$HOME `id` 'x' #", D_e_1: "æ: |" })],
  ["every line in one file", step("kernel", {}, { "/etc/a.conf": lines.join("\n") })],
  ["two files", step("kernel", { A: 1 }, { "/etc/a b/c": "x", "/etc/a-b.conf.d/d": "y\n\n\n" })],
  ...lines
    .filter((line) => /^\S/.test(line))
    .map((line): [string, StepDocument] => [
      `first and last line: ${line}`,
      step("kernel", {}, { "/a": `${line}\n\n${line}`, "/b": line }),
    ]),
];

describe("what the plan renders, the node reads", () => {
  const planned = stackNames.flatMap((name) =>
    planOf(name).nodes.flatMap((node) =>
      Object.values(node.steps).map((document): [string, StepDocument] => [
        `${name} ${node.name} ${document.step}`,
        document,
      ]),
    ),
  );
  const all = [...planned, ...crafted];
  const texts = all.map(([, document]) => renderStep(document));
  const read = readOnNode(texts);

  it.each(all.map(([name, document], i) => [name, document, i] as const))(
    "%s",
    (_, { step, vars, files }, i) => {
      expect(read[i]).toEqual({ vars, files });
      // And so does any reader of YAML, a reviewer's or Pulumi's.
      const yaml = parse(texts[i] as string);
      expect(yaml.step).toBe(step);
      expect(yaml.vars ?? {}).toEqual(vars);
      expect(yaml.files ?? {}).toEqual(files);
    },
  );

  it("secrets that are put below it are read as settings", () => {
    const document = renderStep(step("kubeadm-join", { NODE: "a" }, { "/a": "x" }));
    const [result] = readOnNode([`${document}secrets:\n  TOKEN: "abcdef.0123456789abcdef"\n`]);
    expect(result?.vars).toEqual({ NODE: "a", TOKEN: "abcdef.0123456789abcdef" });
    expect(result?.files).toEqual({ "/a": "x\n" });
  });
});

describe("what the format cannot hold is refused", () => {
  it.each(['a"b', "a\\b", "a\nb"])("the setting %j", (value) => {
    expect(() => renderStep(step("kernel", { A: value }))).toThrow("step kernel: A holds");
  });

  it.each([" a", "\n\na", "\ta", ""])("a file that begins as %j", (content) => {
    expect(() => renderStep(step("kernel", {}, { "/a": content }))).toThrow("/a begins with white");
  });
});
