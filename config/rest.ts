import type { z } from "zod";
import { resolve } from "./config.ts";
import { formatPath, pathsOf } from "./issues.ts";
import { placeholder } from "./placeholder.ts";
import type { Problem } from "./problem.ts";
import { rules } from "./rules/index.ts";
import { schema } from "./schema.ts";
import { typeAt } from "./shape.ts";

type Issue = z.core.$ZodIssue;
type Sections = Record<string, unknown>;

/** Sets of placeholders, each unlike the others. */
const variants = [0, 1, 2];

/**
 * The problems across fields of a configuration in which some fields are wrong by themselves, so that a
 * person sees both kinds at once. Wrong fields are replaced by placeholders, several times by others: what
 * is found each time does not follow from them.
 */
export function problemsOfTheRest(sections: Sections, issues: readonly Issue[]): Problem[] {
  const wrong = new Set(issues.flatMap(pathsOf).map(formatPath));
  let left: Problem[] | undefined;
  let isCompared = false;
  for (const variant of variants) {
    const parsed = repaired(sections, issues, variant);
    if (parsed === undefined) continue;
    const config = resolve(parsed);
    const problems = rules.flatMap((rule) => [...rule(config)]);
    if (left === undefined) {
      left = problems.filter(({ path }) => !enclosing(path, wrong));
    } else {
      const found = new Set(problems.map(identity));
      left = left.filter((problem) => found.has(identity(problem)));
      isCompared = true;
    }
    // Nothing is left that another variant could confirm.
    if (left.length === 0) return [];
  }
  return isCompared ? (left ?? []) : [];
}

function identity({ path, why, fix }: Problem): string {
  return `${path}\n${why}\n${fix}`;
}

/** True if the path is that of a wrong field, or below one. */
function enclosing(path: string, wrong: ReadonlySet<string>): boolean {
  for (
    let end = path.length;
    end > 0;
    end = Math.max(path.lastIndexOf(".", end - 1), path.lastIndexOf("[", end - 1))
  ) {
    if (wrong.has(path.slice(0, end))) return true;
  }
  return false;
}

/** With a placeholder in the place of each wrong field, and without unknown ones. */
function repaired(sections: Sections, issues: readonly Issue[], variant: number) {
  const copy = structuredClone(sections);
  let left = issues;
  // Once a field is there, what is below it can be wrong as well.
  for (let round = 0; round < 4; round++) {
    for (const [number, issue] of left.entries()) {
      for (const path of pathsOf(issue)) replace(copy, path, issue, variant, number);
    }
    const parsed = schema.safeParse(copy);
    if (parsed.success) return parsed.data;
    left = parsed.error.issues;
  }
  return undefined;
}

function replace(
  root: Sections,
  path: readonly PropertyKey[],
  issue: Issue,
  variant: number,
  number: number,
): void {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((value, key) => (value as Sections | undefined)?.[key as string], root);
  const key = path.at(-1) as string;
  if (typeof parent !== "object" || parent === null) return;
  const type = typeAt(schema, path);
  const unknown = issue.code === "unrecognized_keys" || issue.code === "invalid_key";
  const value = unknown || !type ? undefined : placeholder(type, variant, number);
  if (value !== undefined) (parent as Sections)[key] = value;
  else if (Array.isArray(parent)) parent[Number(key)] = null;
  else delete (parent as Sections)[key];
}
