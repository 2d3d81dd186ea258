import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import type { z } from "zod";
import { type Config, resolve } from "./config.ts";
import { ConfigError, type Problem } from "./problem.ts";
import { rules } from "./rules/index.ts";
import { schema } from "./schema.ts";

/** The Pulumi project's name, which prefixes every key of a stack's file. */
export const project = "oslo-cluster";

/**
 * Reads a stack's file without an engine.
 * @throws ConfigError with every problem of the file.
 */
export function loadStackFile(path: string): Config {
  return loadConfig(sectionsOf(path), path);
}

/**
 * Checks the sections of a stack and fills in defaults.
 * @param source What to call it in errors: a stack's file or name.
 * @throws ConfigError with every problem: first those of single fields, then those across fields.
 */
export function loadConfig(sections: Record<string, unknown>, source: string): Config {
  const parsed = schema.safeParse(sections);
  if (!parsed.success) {
    throw new ConfigError(
      source,
      parsed.error.issues.flatMap((issue) => fromIssue(issue, sections)),
    );
  }
  const config = resolve(parsed.data);
  const problems = rules.flatMap((rule) => [...rule(config)]);
  if (problems.length > 0) throw new ConfigError(source, problems);
  return config;
}

function sectionsOf(path: string): Record<string, unknown> {
  const notAStack = (value: unknown, why: string) =>
    new ConfigError(path, [
      { path: "config", value, why, fix: `write a map of ${project}:<section> keys under config:` },
    ]);
  let document: unknown;
  try {
    document = parseYaml(readFileSync(path, "utf8"), { version: "1.1" });
  } catch (error) {
    throw notAStack(undefined, (error as Error).message.split("\n")[0] ?? "cannot be read");
  }
  const config = (document as { config?: unknown } | null)?.config;
  if (typeof config !== "object" || config === null) throw notAStack(config, "not a map");
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(`${project}:`))
      .map(([key, value]) => [key.slice(project.length + 1), value]),
  );
}

/** An issue of the schema, with the value that stands at its path. */
function fromIssue(issue: z.core.$ZodIssue, root: unknown): Problem[] {
  const at = (path: readonly PropertyKey[]) =>
    path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], root);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: formatPath([...issue.path, key]),
      value: at([...issue.path, key]),
      why: "no such field",
      fix: "remove it, or correct its spelling",
    }));
  }
  const value = at(issue.path);
  const missing = value === undefined;
  const [why, fix] = missing
    ? ["required", `give it (${describe(issue)})`]
    : splitMessage(issue.message);
  return [{ path: formatPath(issue.path), value, why, fix }];
}

function describe(issue: z.core.$ZodIssue): string {
  return issue.code === "invalid_type" ? `a value of type ${issue.expected}` : issue.message;
}

/** Messages of the schema have the form `why; fix`; zod's own have no fix. */
function splitMessage(message: string): [string, string] {
  const [why = message, ...fix] = message.split("; ");
  return [why, fix.join("; ") || "see the README's table of the configuration"];
}

function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, i) => (typeof key === "number" ? `[${key}]` : `${i === 0 ? "" : "."}${String(key)}`))
    .join("");
}
