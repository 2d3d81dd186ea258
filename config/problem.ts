/** Where a value is in a file; both count from 1. */
export interface Position {
  line: number;
  column: number;
}

/** One thing that is wrong with a configuration, as a person should read it. */
export interface Problem {
  /** Where: the path in the stack's file, `network.mtu`. */
  path: string;
  /** What is there. */
  value: unknown;
  /** Why it is refused. */
  why: string;
  /** What to write instead. */
  fix: string;
  /** Where in the file, if it comes of one. */
  at?: Position;
}

/** Renders a problem as one line, `path: value: why; fix`, in which every character can be seen. */
export function formatProblem({ path, value, why, fix }: Problem): string {
  return printable(`${path}: ${formatValue(value)}: ${why}; ${fix}`);
}

/** More than that nobody reads. */
const mostLines = 500;

/** Thrown once with every problem of a configuration, before any resource is registered. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(source: string, problems: readonly Problem[]) {
    const count = problems.length === 1 ? "1 error" : `${problems.length} errors`;
    const lines = problems.slice(0, mostLines).map((problem) => {
      const { at } = problem;
      return `  ${at ? `${at.line}:${at.column} ` : ""}${formatProblem(problem)}`;
    });
    const rest = problems.length - lines.length;
    if (rest > 0) lines.push(`  and ${rest} more`);
    super(`${printable(source)}: ${count}\n${lines.join("\n")}`);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** With escapes for what a terminal would obey or hide: controls, newlines, directions of writing. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    const code = character.codePointAt(0) as number;
    return { 9: "\\t", 10: "\\n", 13: "\\r" }[code] ?? `\\u{${code.toString(16)}}`;
  });
}

/** The same of text in lines and columns, as machines and servers give it: it writes none of the terminal's other lines. */
export function printableLines(text: string): string {
  return text.replace(/[^\n\t]+/g, printable);
}

function formatValue(value: unknown): string {
  if (value === undefined) return "(not set)";
  // A string is shown as it is written, unless that would be empty, padded or more than one line.
  const plain = typeof value === "string" && /^\S(.*\S)?$/.test(value);
  const text = hideLogins(plain ? value : JSON.stringify(beginning(value)));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** As much of a value as a line can show, however large it is. */
function beginning(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return value.slice(0, 100);
  if (typeof value !== "object" || value === null) return value;
  if (depth > 4) return "...";
  if (Array.isArray(value)) return value.slice(0, 20).map((one) => beginning(one, depth + 1));
  const entries = Object.entries(value).slice(0, 20);
  return Object.fromEntries(entries.map(([key, one]) => [key, beginning(one, depth + 1)]));
}

/** An error is read by more people than the file: what may be a password is not repeated. */
function hideLogins(text: string): string {
  return text
    .replace(/:\/\/[^/?#\s]*@/g, "://…@")
    .replace(/([?&;#][\w.-]+=)[^&\s"]+/g, (whole, name) =>
      text.includes("://") ? `${name}…` : whole,
    );
}
