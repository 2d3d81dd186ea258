import type { z } from "zod";
import type { Problem } from "./problem.ts";

type Issue = z.core.$ZodIssue;

/** An issue of the schema as problems, each with the value that stands at its path. */
export function fromIssue(issue: Issue, root: unknown): Problem[] {
  if (issue.code === "unrecognized_keys") {
    return pathsOf(issue).map((path) => ({
      path: formatPath(path),
      value: valueAt(root, path),
      why: "no such field",
      fix: "remove it, or correct its spelling",
    }));
  }
  if (issue.code === "invalid_key") {
    const [why, fix] = splitMessage(issue.issues[0]?.message ?? issue.message, issue);
    return [{ path: formatPath(issue.path), value: issue.path.at(-1), why, fix }];
  }
  const value = valueAt(root, issue.path);
  const [why, fix] =
    value === undefined
      ? ["required", `give it (${describe(issue)})`]
      : splitMessage(issue.message, issue);
  return [{ path: formatPath(issue.path), value, why, fix }];
}

/** Where the issue is; unknown keys share one issue. */
export function pathsOf(issue: Issue): PropertyKey[][] {
  return issue.code === "unrecognized_keys"
    ? issue.keys.map((key) => [...issue.path, key])
    : [[...issue.path]];
}

/** `nodes.existing[0].name`, and `tuning.sysctl["vm.swappiness"]` for a key that is no word. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, i) => {
      if (typeof key === "number") return `[${key}]`;
      const word = String(key);
      return /^[\w-]+$/.test(word) ? `${i === 0 ? "" : "."}${word}` : `["${word}"]`;
    })
    .join("");
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    root,
  );
}

function describe(issue: Issue): string {
  return issue.code === "invalid_type" ? `a value of type ${issue.expected}` : issue.message;
}

/** Messages of the schema have the form `why; fix`; for zod's own the issue tells the fix. */
function splitMessage(message: string, issue: Issue): [string, string] {
  const [why = message, ...fix] = message.split("; ");
  return [why, fix.join("; ") || fixFor(issue)];
}

function fixFor(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return `write a value of type ${issue.expected}`;
    case "too_small":
      return `write ${issue.minimum} or more`;
    case "too_big":
      return `write ${issue.maximum} or less`;
    default:
      return "see docs/configuration.md";
  }
}
