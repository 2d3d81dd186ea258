import { RE2JS } from "re2js";

/** RE2, which Cilium's agent and Envoy read regular expressions with: linear in time, and narrower than JavaScript's. */
export function re2Error(text: string): string | undefined {
  if (!read.has(text)) read.set(text, errorOf(text));
  return read.get(text);
}

/** The same expression is in a file many times. */
const read = new Map<string, string | undefined>();

function errorOf(text: string): string | undefined {
  try {
    RE2JS.compile(text);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^error parsing regexp: /, "");
  }
}

/** True if the whole text matches. */
export function re2Matches(expression: string, text: string): boolean {
  const compiled = matchers.get(expression) ?? RE2JS.compile(expression);
  matchers.set(expression, compiled);
  return compiled.matches(text);
}

const matchers = new Map<string, RE2JS>();
