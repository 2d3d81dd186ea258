import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { type Config, resolve } from "./config.ts";
import { fromIssue } from "./issues.ts";
import { ConfigError } from "./problem.ts";
import { problemsOfTheRest } from "./rest.ts";
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
    const { issues } = parsed.error;
    throw new ConfigError(source, [
      ...issues.flatMap((issue) => fromIssue(issue, sections)),
      ...problemsOfTheRest(sections, issues),
    ]);
  }
  const config = resolve(parsed.data);
  const problems = rules.flatMap((rule) => [...rule(config)]);
  if (problems.length > 0) throw new ConfigError(source, problems);
  return config;
}

/**
 * The sections of a stack's file as they are written, `<namespace>:<section>`, without a check.
 * @param namespace @default the project's own
 */
export function sectionsOf(path: string, namespace = project): Record<string, unknown> {
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
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw notAStack(config, "not a map");
  }
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(`${namespace}:`))
      .map(([key, value]) => [key.slice(namespace.length + 1), value]),
  );
}
