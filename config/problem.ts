/** One thing that is wrong with a configuration, as a person should read it. */
export interface Problem {
  /** Where: the path in the stack's file, `network.mtu`. */
  path: string;
  /** What stands there. */
  value: unknown;
  /** Why it cannot stand. */
  why: string;
  /** What to write instead. */
  fix: string;
}

/** Renders a problem as one line, `path: value: why; fix`. */
export function formatProblem({ path, value, why, fix }: Problem): string {
  return `${path}: ${formatValue(value)}: ${why}; ${fix}`;
}

/** Thrown once with every problem of a configuration, before any resource is registered. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(source: string, problems: readonly Problem[]) {
    const count = problems.length === 1 ? "1 error" : `${problems.length} errors`;
    super(`${source}: ${count}\n${problems.map((p) => `  ${formatProblem(p)}`).join("\n")}`);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

function formatValue(value: unknown): string {
  if (value === undefined) return "(not set)";
  // A string stands as it is written, unless that would be empty, padded or more than one line.
  const plain = typeof value === "string" && /^\S(.*\S)?$/.test(value);
  const text = hideLogins(plain ? value : JSON.stringify(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** An error is read by more people than the file: what may be a password is not repeated. */
function hideLogins(text: string): string {
  return text
    .replace(/:\/\/[^/?#\s]*@/g, "://…@")
    .replace(/([?&;#][\w.-]+=)[^&\s"]+/g, (whole, name) =>
      text.includes("://") ? `${name}…` : whole,
    );
}
