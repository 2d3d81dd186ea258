import { formatPatch, OMIT_HEADERS, structuredPatch } from "diff";
import { leaks } from "../../plan/secrets.ts";
import type { Change } from "./stack.ts";

/**
 * The unified differences of a change's documents, without headers; under whose it is, where they
 * are several. For reading: a long line stands word by word.
 * @param limit Lines; of more than that the rest is counted.
 * @throws Error where it holds what looks like a secret.
 */
export function unified({ what, contents }: Change, limit: number): string {
  const texts = contents.map(({ machines, before = "", after = "" }) => {
    const patch = structuredPatch(what, what, wrapped(before), wrapped(after), "", "", {
      context: 3,
    });
    const text = formatPatch(patch, OMIT_HEADERS).trimEnd();
    return contents.length > 1 ? `# ${machines.join(", ")}\n${text}` : text;
  });
  const text = texts.join("\n");
  assertShown(what, text);
  const lines = text.split("\n");
  const rest = lines.length - limit;
  return rest > 0 ? [...lines.slice(0, limit), `… ${rest} more lines`].join("\n") : text;
}

function wrapped(text: string): string {
  return text
    .split("\n")
    .map((line) => (line.length > 120 ? line.replace(/(?<=\S) +(?=\S)/g, "\n    ") : line))
    .join("\n");
}

/** The last look at what people will read. */
export function assertShown(what: string, text: string): void {
  const [secret] = leaks([text]);
  if (secret === undefined) return;
  const error = new Error(
    `${what}: holds what looks like ${secret}; nothing is shown. Take it out of the stack's file`,
  );
  throw Object.assign(error, { code: "SECRET" });
}
