import { expect, it } from "vitest";
import { problemsOf, stack } from "../stack.ts";

/** What is changed in the valid stack, and what must come of it. */
export interface Refused {
  name: string;
  changes: Record<string, unknown>;
  /** The path of every problem, no more and no fewer; by default that of the first change. */
  at?: string[];
  /** A part of what the first problem says. */
  says: string;
}

/** A negative test for each case. */
export function refuses(cases: Refused[]): void {
  it.each(cases)("refuses $name", ({ changes, at = Object.keys(changes).slice(0, 1), says }) => {
    const problems = problemsOf(stack(changes));
    expect(problems.map(({ path }) => path)).toEqual(at);
    expect(`${problems[0]?.why}; ${problems[0]?.fix}`).toContain(says);
  });
}

/** A test that each of these changes is taken: a rule that refuses too much is wrong as well. */
export function takes(cases: { name: string; changes: Record<string, unknown> }[]): void {
  it.each(cases)("takes $name", ({ changes }) => {
    expect(problemsOf(stack(changes))).toEqual([]);
  });
}
