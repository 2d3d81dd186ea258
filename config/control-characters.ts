import { formatPath } from "./issues.ts";
import type { Problem } from "./problem.ts";

/** All but the tab and the ends of lines, which texts of several lines have; each field says if it takes those. */
const control = /(?![\t\n\r])[\p{Cc}\p{Zl}\p{Zp}]/u;

/**
 * Texts and keys anywhere with a character that no field can mean: a NUL ends or vanishes in every
 * program that reads it, an escape is obeyed by a terminal.
 */
export function* controlCharacters(
  value: unknown,
  path: readonly PropertyKey[] = [],
): Generator<Problem> {
  if (typeof value === "string") yield* problem(value, path);
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const below = [...path, Array.isArray(value) ? Number(key) : key];
    yield* problem(key, below);
    yield* controlCharacters(inner, below);
  }
}

function* problem(text: string, path: readonly PropertyKey[]): Generator<Problem> {
  const [character] = control.exec(text) ?? [];
  if (character === undefined) return;
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  yield {
    path: formatPath(path),
    value: text,
    why: `holds the control character U+${code}`,
    fix: "remove it",
  };
}
