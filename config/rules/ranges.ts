import { family, hostBits, parseAddress } from "../cidr.ts";
import type { Config } from "../config.ts";

type Block = Config["cilium"]["loadBalancerIPPools"][number]["blocks"][number];

/** Addresses from the first to the last, both of them in it. */
export interface Range {
  first: bigint;
  last: bigint;
  family: 4 | 6;
  text: string;
}

/** The addresses of a block; undefined where it is neither a CIDR nor a range. */
export function rangeOf({ cidr, start, stop }: Block): Range | undefined {
  if ((cidr === undefined) === (start === undefined)) return undefined;
  if (cidr !== undefined) return stop === undefined ? rangeOfCidr(cidr) : undefined;
  const [from = "", to = from] = [start, stop];
  if (family(from) !== family(to)) return undefined;
  const range = { first: value(from), last: value(to), family: family(from) };
  return range.first > range.last ? undefined : { ...range, text: `${from} to ${to}` };
}

export function rangeOfCidr(cidr: string): Range {
  const first = value(cidr.split("/")[0] as string);
  const last = first + (1n << BigInt(hostBits(cidr))) - 1n;
  return { first, last, family: family(cidr), text: cidr };
}

function value(address: string): bigint {
  return parseAddress(address)?.bigInt() ?? 0n;
}

export function meet(a: Range, b: Range): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

export function has(range: Range, address: string): boolean {
  return meet(range, rangeOfCidr(`${address}/${family(address) === 4 ? 32 : 128}`));
}

/** True if the outer range holds every address of the inner one. */
export function within(inner: Range, outer: Range): boolean {
  return meet(inner, outer) && outer.first <= inner.first && inner.last <= outer.last;
}
