import { type Config, resolve } from "./config.ts";
import { controlCharacters } from "./control-characters.ts";
import { fromIssue, parsePath } from "./issues.ts";
import { ConfigError, type Problem } from "./problem.ts";
import { problemsOfTheRest } from "./rest.ts";
import { rules } from "./rules/index.ts";
import { schema } from "./schema.ts";
import { project, readStackFile, type StackFile } from "./stack-file.ts";

export { project };

/**
 * Reads a stack's file without an engine.
 * @throws ConfigError with every problem of the file, in its order, each with its line and column.
 */
export function loadStackFile(path: string): Config {
  const file = readStackFile(path, project, Object.keys(schema.shape));
  return load(file.sections, path, file.position);
}

/**
 * Checks the sections of a stack and fills in defaults.
 * @param source What to call it in errors: a stack's file or name.
 * @throws ConfigError with every problem: of single fields, and across those that are right.
 */
export function loadConfig(sections: Record<string, unknown>, source: string): Config {
  return load(sections, source, () => undefined);
}

function load(
  sections: Record<string, unknown>,
  source: string,
  position: StackFile["position"],
): Config {
  const parsed = schema.safeParse(sections);
  if (parsed.success) {
    const config = resolve(parsed.data);
    const problems = [
      ...controlCharacters(sections),
      ...rules.flatMap((rule) => [...rule(config)]),
    ];
    if (problems.length === 0) return config;
    throw new ConfigError(source, placed(problems, position));
  }
  const { issues } = parsed.error;
  const own = issues.flatMap((issue) => fromIssue(issue, sections));
  const named = new Set(own.map(({ path }) => path));
  const problems = [
    ...own,
    ...[...controlCharacters(sections)].filter(({ path }) => !named.has(path)),
    ...problemsOfTheRest(sections, issues),
  ];
  throw new ConfigError(source, placed(problems, position));
}

/** With line and column, in the order of the file. */
function placed(problems: readonly Problem[], position: StackFile["position"]): Problem[] {
  return problems
    .map((problem) => {
      const at = position(parsePath(problem.path));
      return at ? { ...problem, at } : problem;
    })
    .sort((a, b) => (a.at && b.at ? a.at.line - b.at.line || a.at.column - b.at.column : 0));
}

/**
 * The sections of a stack's file as they are written, `<namespace>:<section>`, without a check.
 * @param namespace @default the project's own
 */
export function sectionsOf(path: string, namespace = project): Record<string, unknown> {
  return readStackFile(path, namespace).sections;
}
