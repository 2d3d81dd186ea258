import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// npm run lint, its part for words: what people read here is standard English, in the terms of the field.

/** What is refused, and what is written in its place. */
const refused: [phrase: RegExp, instead: string][] = [
  [/\banew\b/i, "again, re-create"],
  [/\balmighty\b/i, "cluster-admin, unrestricted"],
  [/\bmend(s|ed|ing)?\b/i, "fix, correct"],
  [/\bgoes (on|back|with)\b/i, "continues, is downgraded, is removed with"],
  [/\b(is|are|was|were|be) told\b/i, "is reported, learns, gets"],
  [/\bstands\b/i, "is, means, represents"],
  [/\bstood\b/i, "was"],
  [/\bstand (in|on|beside|there|before|together|apart) /i, "is in, is on, comes before"],
  [/\bstand-?ins?\b/i, "placeholder, substitute"],
  [/\b(to|can|cannot|not) be had\b/i, "is available, is fetched from"],
  [/\bof old\b/i, "older, former"],
  [/\bbears?\b/i, "survives, holds"],
  [/\b(is|are) let be\b/i, "stays as it is"],
  [/\bpass(es|ed)? (it|them|the \w+|node \w+) by\b/i, "bypass"],
  [/\blies about\b/i, "is left"],
];

/** Words of others, these phrases themselves, and files that tests compare. */
const exempt =
  /^(plan\/gateway-api\/crds|test\/golden|test\/fixtures)\/|^(package-lock\.json|commands\/lint-words\.ts|test\/commands\/lint-words\.test\.ts)$|\.(svg|png)$/;

/** What a text has of it, as `line: phrase: what to write`. */
export function refusedWords(text: string): string[] {
  return text.split("\n").flatMap((line, i) =>
    refused.flatMap(([phrase, instead]) => {
      const found = phrase.exec(line)?.[0];
      return found === undefined ? [] : [`${i + 1}: "${found}"; write: ${instead}`];
    }),
  );
}

if (import.meta.main) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const listed = spawnSync(
    "git",
    ["ls-files", "--cached", "--others", "--exclude-standard", "-z"],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  if (listed.status !== 0) {
    console.error(`the repository's files cannot be listed: ${listed.stderr || listed.error}`);
    process.exit(1);
  }
  const files = listed.stdout.split("\0").filter((file) => file !== "" && !exempt.test(file));
  const problems = files.flatMap((file) => {
    try {
      return refusedWords(readFileSync(join(root, file), "utf8")).map((at) => `${file}:${at}`);
    } catch {
      return []; // deleted in the work tree
    }
  });
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exit(1);
  console.log(`${files.length} files: no refused words`);
}
