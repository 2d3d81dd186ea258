import { isIP } from "node:net";

/**
 * An address as the API tells it. Statuses are written by controllers and kubelets, and what they say
 * is written into scripts that root runs: it is an address, or it is refused.
 * @throws Error that shows the text
 */
export function toldAddress(text: string, what: string): string {
  if (isIP(text) === 0) throw new Error(`${what} is not an address: ${JSON.stringify(text)}`);
  return text;
}
