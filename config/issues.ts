import type { z } from "zod";
import { nearest } from "./nearest.ts";
import type { Problem } from "./problem.ts";
import { schema } from "./schema.ts";
import { keysAt } from "./shape.ts";

type Issue = z.core.$ZodIssue;

/** An issue of the schema as problems, each with the value at its path. */
export function fromIssue(issue: Issue, root: unknown): Problem[] {
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => {
      const meant = nearest(key, known);
      return {
        path: formatPath([...issue.path, key]),
        value: valueAt(root, [...issue.path, key]),
        why: "no such field",
        fix: meant ? `did you mean ${meant}?` : `remove it; there are ${list(known)}`,
      };
    });
  }
  if (issue.code === "invalid_key") {
    const [first] = issue.issues as Issue[];
    const [why, fix] = texts(first ?? issue, issue.path.at(-1));
    return [{ path: formatPath(issue.path), value: issue.path.at(-1), why, fix }];
  }
  const value = valueAt(root, issue.path);
  const [why, fix] =
    value === undefined && issue.code !== "custom"
      ? ["required", `give it (${wanted(issue)})`]
      : texts(issue, value);
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
      return /^[\w-]+$/.test(word)
        ? `${i === 0 ? "" : "."}${word}`
        : `[${JSON.stringify(word.length > 100 ? `${word.slice(0, 100)}...` : word)}]`;
    })
    .join("");
}

/** The keys of a path as it is formatted. */
export function parsePath(path: string): PropertyKey[] {
  return [...path.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g)].map(
    ([, index, quoted, word]) =>
      index !== undefined
        ? Number(index)
        : quoted !== undefined
          ? (JSON.parse(`"${quoted}"`) as string)
          : (word as string),
  );
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    root,
  );
}

/** Messages of the schema have the form `why; fix`; zod's own never reach a person. */
function texts(issue: Issue, value: unknown): [why: string, fix: string] {
  const [why = "", ...fix] = issue.message.split("; ");
  if (fix.length > 0) return [why, withNearest(fix.join("; "), issue, value)];
  switch (issue.code) {
    case "invalid_type":
      return [kindOf(value), wanted(issue)];
    case "too_small":
      return [
        issue.origin === "string" || issue.origin === "array" ? "too short" : "too small",
        `write ${issue.minimum} or more`,
      ];
    case "too_big":
      return [
        issue.origin === "string" || issue.origin === "array" ? "too long" : "too large",
        `write ${issue.maximum} or less`,
      ];
    default:
      return ["not of the form that this field has", wanted(issue)];
  }
}

function withNearest(fix: string, issue: Issue, value: unknown): string {
  if (issue.code !== "invalid_value" || typeof value !== "string") return fix;
  const meant = nearest(value, issue.values.map(String));
  return meant ? `did you mean ${meant}? ${fix}` : fix;
}

function wanted(issue: Issue): string {
  if (issue.code !== "invalid_type") {
    const [, ...fix] = issue.message.split("; ");
    return fix.join("; ") || "see docs/configuration.md";
  }
  return (
    {
      string: "write text",
      number: "write a number",
      int: "write a whole number",
      boolean: "write true or false",
      array: "write a list",
      object: "write a map",
      record: "write a map",
    }[issue.expected as string] ?? `write a value of type ${issue.expected}`
  );
}

function kindOf(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  return (
    {
      string: "text",
      number: "a number, as YAML reads it without quotes",
      boolean: "true or false, as YAML reads it without quotes",
      object: "a map",
    }[typeof value as string] ?? typeof value
  );
}

function list(words: readonly string[]): string {
  return words.length === 0 ? "no fields here" : words.join(", ");
}
