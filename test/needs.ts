import { describe, test } from "vitest";

/**
 * `describe` for tests that need something of the machine: without it they are one skipped test, which says what
 * is missing.
 *
 * @param need completes the sentence "needs …"
 */
export function describeWhere(
  isThere: boolean,
  need: string,
): (name: string, tests: () => void) => void {
  return (name, tests) => {
    if (isThere) describe(name, tests);
    else test(name, ({ skip }) => skip(`needs ${need}`));
  };
}

/** For what runs the nodes' own scripts. */
export const describeOnLinux = describeWhere(process.platform === "linux", "Linux");
