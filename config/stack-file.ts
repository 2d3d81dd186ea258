import { readFileSync, statSync } from "node:fs";
import { type ParsedNode, parseAllDocuments } from "yaml";
import { nearest } from "./nearest.ts";
import { ConfigError, type Position, type Problem } from "./problem.ts";
import { type Origins, plainValue } from "./yaml.ts";

/** The Pulumi project's name, which prefixes every key of a stack's file. */
export const project = "oslo-cluster";

/** The largest file that is read, in bytes. */
const largest = 5 * 1024 * 1024;
/** Lines, and entries within lines: what the parser's time grows with. 5000 nodes have 80,000. */
const mostMarks = 250_000;

/** The sections of a stack's file, and where in it each value is. */
export interface StackFile {
  sections: Record<string, unknown>;
  /** Of the value at a path, or of the nearest one above it. */
  position: (path: readonly PropertyKey[]) => Position | undefined;
}

/**
 * Reads a stack's file as Pulumi does, without an engine.
 * @param namespace The project whose keys are wanted, `<namespace>:<section>`.
 * @param known Sections of that project, of which one is proposed for a mistyped key.
 * @throws ConfigError with every error of YAML, or of the keys.
 */
export function readStackFile(
  path: string,
  namespace: string,
  known: readonly string[] = [],
): StackFile {
  const fail = (...problems: Problem[]) => new ConfigError(path, problems);
  const fix = `write a map of ${namespace}:<section> keys under config:`;
  const text = textOf(path, (value, why, what) =>
    fail({ path: "config", value, why, fix: what ?? fix }),
  );
  const at = positionsIn(text);
  const [document, second] = documents(text, (why, offset) =>
    fail({ path: "config", value: undefined, why, fix, ...(offset ? { at: at(offset) } : {}) }),
  );
  const errors = document?.errors ?? [];
  if (errors.length > 0) {
    throw fail(
      ...errors.slice(0, 20).map((error) => ({
        path: "YAML",
        value: lineOf(text, error.pos[0]),
        why: /call stack/.test(error.message)
          ? "nested too deeply"
          : (error.message.split(/ at line \d+|\n/)[0] ?? error.code).replace(/:$/, ""),
        fix: `correct the line; a stack's file has ${namespace}:<section> keys under config:`,
        at: at(error.pos[0]),
      })),
    );
  }
  if (second) {
    const why = "a second document, which Pulumi does not read";
    throw fail({ path: "YAML", value: "---", why, fix: "remove it", at: at(second.range[0]) });
  }
  const origins: Origins = new Map();
  const problems: Problem[] = [];
  const value = plainValue(
    (document?.contents ?? null) as ParsedNode | null,
    origins,
    (offset, problem) => problems.push({ ...problem, at: at(offset) }),
  );
  if (problems.length > 0) throw fail(...problems);
  const config = (value as { config?: unknown } | null)?.config;
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw fail({ path: "config", value: config, why: "not a map", fix });
  }
  const sections: Record<string, unknown> = {};
  const keys = new Map<string, string>();
  for (const [key, section] of Object.entries(config)) {
    const [owner, name] = split(key);
    const offset = origins.get(config)?.get(key);
    const where = offset === undefined ? {} : { at: at(offset) };
    if (owner !== namespace) {
      // Keys of other projects and of providers are theirs.
      if (nearest(owner, [namespace]) === undefined) continue;
      const right = `${namespace}:${nearest(name, known) ?? name}`;
      const why = `not of the project ${namespace}: nobody would read it`;
      problems.push({ path: key, value: section, why, fix: `did you mean ${right}?`, ...where });
    } else if (keys.has(name)) {
      const why = `${keys.get(name)} is the same section`;
      problems.push({ path: key, value: section, why, fix: "put both into one", ...where });
    } else {
      keys.set(name, key);
      sections[name] = section;
    }
  }
  if (problems.length > 0) throw fail(...problems);
  const position = (wanted: readonly PropertyKey[]) => {
    const [section, ...rest] = wanted;
    const key = keys.get(String(section));
    let found = key === undefined ? undefined : origins.get(config)?.get(key);
    let container: unknown =
      key === undefined ? undefined : (config as Record<string, unknown>)[key];
    for (const part of rest) {
      const offset =
        typeof container === "object" && container ? origins.get(container)?.get(part) : undefined;
      if (offset === undefined) break;
      found = offset;
      container = (container as Record<PropertyKey, unknown>)[part];
    }
    return at(found ?? origins.get(value as object)?.get("config") ?? 0);
  };
  return { sections, position };
}

/** Pulumi's keys: `section`, `project:section` and the older `project:config:section`. */
function split(key: string): [owner: string, name: string] {
  const colon = key.indexOf(":");
  if (colon < 0) return [project, key];
  return [key.slice(0, colon), key.slice(colon + 1).replace(/^config:/, "")];
}

function textOf(
  path: string,
  fail: (value: unknown, why: string, fix?: string) => ConfigError,
): string {
  try {
    const { size } = statSync(path);
    if (size > largest) {
      const why = `larger than ${largest} bytes`;
      throw fail(`${size} bytes`, why, "write a smaller file, or several stacks");
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") {
      throw fail(undefined, "not text in UTF-8", "save the file as UTF-8");
    }
    throw fail(undefined, message.split("\n")[0] ?? code ?? "", "name a file that can be read");
  }
}

function documents(text: string, fail: (why: string, offset?: number) => ConfigError) {
  const marks = text.match(/[,:?\n[{]/g)?.length ?? 0;
  if (marks > mostMarks) throw fail(`more than ${mostMarks} lines and entries`);
  // The parser recurses into each level; what is written by people has a dozen.
  const deep = depthAbove(text, 200);
  if (deep !== undefined) throw fail("nested deeper than 200 levels", deep);
  try {
    const all = parseAllDocuments(text, {
      ...{ version: "1.2", schema: "failsafe", uniqueKeys: false },
      ...{ logLevel: "silent", prettyErrors: false, keepSourceTokens: false },
    } as const);
    return Array.isArray(all) ? all : [];
  } catch (error) {
    throw fail(error instanceof RangeError ? "nested too deeply" : (error as Error).message);
  }
}

/** Where brackets, or blanks and dashes before a line's text, make more levels than that. */
function depthAbove(text: string, limit: number): number | undefined {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const one = text[i];
    if (one === "[" || one === "{") depth++;
    else if ((one === "]" || one === "}") && depth > 0) depth--;
    if (depth > limit) return i;
  }
  const dashes = new RegExp(`^(?: *[-?] ){${limit},}`, "m").exec(text);
  return dashes ? dashes.index : undefined;
}

/** Line and column of an offset, both from 1. */
function positionsIn(text: string): (offset: number) => Position {
  const starts = [0];
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) starts.push(i + 1);
  return (offset) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] as number) + 1 };
  };
}

function lineOf(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const end = text.indexOf("\n", offset);
  return text.slice(start, Math.min(end < 0 ? text.length : end, start + 200)).trim() || "(empty)";
}
