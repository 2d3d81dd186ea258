import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import type { Command } from "commander";
import { beforeAll, describe, expect, it } from "vitest";
import { commands, programOf } from "../commands/program.ts";
import { blocksOf, commandsOf, pageText } from "./pages.ts";
import { root } from "./root.ts";

const inFolder = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => normalize(join(folder, name)));
const pages = [...inFolder("."), ...inFolder("docs")];

/** As GitHub makes them of headings. */
function anchorsOf(page: string): Set<string> {
  const text = page.replace(/^```[\s\S]*?^```$/gm, "");
  const seen = new Map<string, number>();
  const slugs = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = words.replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
  return new Set(slugs);
}

describe("links", () => {
  it.each(pages)("of %s lead somewhere, to the very heading", (page) => {
    const links = [...`${pageText(page)}`.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
    const broken = links.filter(([, target = "", anchor]) => {
      const file = target === "" ? page : normalize(join(dirname(page), target));
      if (!existsSync(join(root, file))) return true;
      if (anchor === undefined || statSync(join(root, file)).isDirectory()) return false;
      return !anchorsOf(pageText(file)).has(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  it("find a heading that is not there", () => {
    expect(anchorsOf("# A `b`, c\n```sh\n# no\n```\n# A b c\n")).toEqual(
      new Set(["a-b-c", "a-b-c-1"]),
    );
  });
});

/** Commands that a page tells to type, in blocks and between backticks, as their words. */
function calls(page: string): string[][] {
  const text = pageText(page);
  const lines = blocksOf(text)
    .filter(({ info }) => /^(sh|bash|console|)( |$)/.test(info))
    .flatMap(commandsOf);
  const inline = [...text.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/`([^`\n]+)`/g)].map(
    ([, words = ""]) => words,
  );
  return [...lines, ...inline].flatMap((line) => {
    const [, name, rest = ""] =
      line.match(
        /(?:^|[;|&(] *|')(?:npm run (?:--silent )?(\S+?)(?: --(?= |$)|(?= *$|[;|&)'])))(.*)/,
      ) ?? [];
    if (name !== undefined) return name in commands ? [[name, ...wordsOf(rest)]] : [];
    const [, own] = line.match(/(?:^|[;|&(] *)oslo-cluster (.+)/) ?? [];
    return own === undefined ? [] : [wordsOf(own)];
  });
}

/** Words of a shell's line, up to what ends the command. */
function wordsOf(line: string): string[] {
  const [own = ""] = line.replace(/<([\w-]+)>/g, "$1").split(/ *[|;&)<>] */);
  return [...own.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? "",
  );
}

describe("commands", () => {
  let program: Command;
  /** Ends a command that the parser has taken, before its work: other tests of this process run the same ones. */
  const taken = new Error("taken");
  beforeAll(async () => {
    program = await programOf(Object.keys(commands));
    program.hook("preAction", () => {
      throw taken;
    });
    const quietly = (command: Command) => {
      command.configureOutput({ writeErr: () => {}, writeOut: () => {} });
      command.commands.forEach(quietly);
    };
    quietly(program);
  });

  it("are found in pages", () => {
    const all = pages.flatMap(calls).map(([name]) => name);
    expect(all.length).toBeGreaterThan(30);
    for (const name of ["init", "check", "render", "verify", "status", "drift", "etcd"])
      expect(all).toContain(name);
  });

  it.each(pages)("of %s are taken by the parser", async (page) => {
    const refused: string[] = [];
    for (const words of calls(page)) {
      // A command that is named, and not typed.
      if (words.length === 1) continue;
      await program.parseAsync(words, { from: "user" }).catch((error: Error) => {
        if (error !== taken) refused.push(`${words.join(" ")}: ${error.message}`);
      });
    }
    expect(refused).toEqual([]);
  });

  it("that nobody has are refused", async () => {
    const parsed = program.parseAsync(["verify", "oslo", "--jsno"], { from: "user" });
    await expect(parsed).rejects.toThrow(/unknown option/);
  });
});

describe("scripts of package.json", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

  it.each(pages)("that %s names are there", (page) => {
    const named = [...pageText(page).matchAll(/npm run (?:--silent )?([a-z]+(?::[a-z]+)*)/g)];
    expect(named.map(([, name]) => name).filter((name) => !(String(name) in scripts))).toEqual([]);
  });
});
