/** Strings that may not be printed, the longest first when they are replaced. */
const hidden = new Set<string>();

/** Shorter strings are not worth hiding and would blank out half of the log. */
const shortestSecret = 8;

/** Remembers every string in `value`, and each of its lines, as one that is never printed. */
export function hide(value: unknown): void {
  if (typeof value === "string") {
    for (const text of [value, ...value.split("\n")]) {
      if (text.trim().length >= shortestSecret) hidden.add(text.trim());
    }
  } else if (value !== null && typeof value === "object") {
    for (const item of Object.values(value)) hide(item);
  }
}

/** The text with every hidden string replaced by `[secret]`. */
export function redact(text: string): string {
  return [...hidden]
    .sort((a, b) => b.length - a.length)
    .reduce((clean, secret) => clean.replaceAll(secret, "[secret]"), text);
}

/** Prints one line, redacted. */
export function print(line: string): void {
  process.stdout.write(`${redact(line)}\n`);
}
