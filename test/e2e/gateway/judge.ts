import { binomialBounds } from "../../../verify/proofs/canary.ts";
import type { Answer, Client } from "./ask.ts";
import type { Row } from "./rows.ts";

/** Requests of a split. */
const requests = 4000;
/**
 * An honest split leaves these bounds less than once in a thousand million runs; one of 90/10 in the
 * place of 95/5 does not stay within them.
 */
const deviations = 7;

/**
 * What is not as a row says, or undefined.
 *
 * @param counted whether the shares of its backends are counted, or one request is sent
 */
export async function judge(
  row: Row,
  client: Client,
  counted: boolean,
): Promise<string | undefined> {
  const shares = Object.entries(row.backends ?? {});
  if (!counted) return differs(row, await client.ask(row.asked));
  if (shares.length < 2 || row.once) return undefined;
  const answers = await Promise.all(Array.from({ length: requests }, () => client.ask(row.asked)));
  for (const answer of answers) {
    const difference = differs(row, answer);
    if (difference !== undefined) return difference;
  }
  for (const [backend, percent] of shares) {
    const count = answers.filter(({ seen }) => seen?.backend === backend).length;
    const { low, high } = binomialBounds(requests, percent / 100, deviations);
    if (count < low || count > high) {
      return `${backend} got ${count} of ${requests}; ${percent} % is ${low} to ${high}`;
    }
  }
  return undefined;
}

function differs(row: Row, { status, seen, headers, certificate }: Answer): string | undefined {
  const backends = Object.keys(row.backends ?? {});
  const wanted = row.status ?? (backends.length > 0 ? 200 : 404);
  if (status !== wanted) return `answered ${status}, not ${wanted}`;
  if (seen === undefined ? backends.length > 0 : !backends.includes(seen.backend)) {
    return `answered by ${seen?.backend ?? "the gateway"}`;
  }
  for (const [name, values] of Object.entries(row.seen ?? {})) {
    const got = seen?.headers[name.toLowerCase()] ?? [];
    if (got.join() !== values.join()) return `the backend sees ${name}: ${got.join() || "(none)"}`;
  }
  for (const [name, value] of Object.entries(row.answered ?? {})) {
    const got = headers[name.toLowerCase()]?.toString();
    if (canonical(got) !== value) return `the answer has ${name}: ${got ?? "(none)"}`;
  }
  if (row.certificate !== certificate) return `the certificate is ${certificate ?? "(none)"}'s`;
  return undefined;
}

/** https://a.no:443/ is https://a.no/. */
const canonical = (text?: string) => (text && URL.canParse(text) ? new URL(text).href : text);
