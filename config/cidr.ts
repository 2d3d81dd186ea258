import { Address4, Address6, AddressError } from "ip-address";

type Address = Address4 | Address6;

/** Reads an address or a CIDR of either family; undefined where the text is neither. */
export function parseAddress(text: string): Address | undefined {
  // The parser refuses with an error each, and most texts are names.
  if (!/^[\da-f.:]+([%/].*)?$/i.test(text)) return undefined;
  const Family = text.includes(":") ? Address6 : Address4;
  try {
    return new Family(text);
  } catch (error) {
    if (error instanceof AddressError) return undefined;
    throw error;
  }
}

/** True for an address without a prefix or zone (`10.10.0.11`, `fd00::1`). */
export function isAddress(text: string): boolean {
  return !/[/%]/.test(text) && parseAddress(text) !== undefined;
}

/** True for a CIDR whose host bits are zero (`10.10.0.0/24`). */
export function isCidr(text: string): boolean {
  const parsed = /^[^/%]+\/\d+$/.test(text) ? parseAddress(text) : undefined;
  return parsed !== undefined && parsed.bigInt() === parsed.startAddress().bigInt();
}

/** The one spelling of an address or CIDR, so that equal ones compare as equal: `fd00::1`. */
export function canonical(text: string): string {
  const parsed = need(text);
  return text.includes("/") ? `${parsed.correctForm()}/${parsed.subnetMask}` : parsed.correctForm();
}

/** 4 or 6. */
export function family(text: string): 4 | 6 {
  return text.includes(":") ? 6 : 4;
}

/** The families of a list of addresses or CIDRs, for comparison: `[4, 6]`. */
export function families(list: readonly string[]): (4 | 6)[] {
  return list.map(family);
}

/** The prefix length of a CIDR. */
export function prefixLength(cidr: string): number {
  return need(cidr).subnetMask;
}

/** The number of bits that a CIDR leaves to hosts. */
export function hostBits(cidr: string): number {
  return (family(cidr) === 4 ? 32 : 128) - prefixLength(cidr);
}

/** True if the address, or every address of the CIDR, lies within `cidr`. */
export function contains(cidr: string, inner: string): boolean {
  if (family(cidr) !== family(inner)) return false;
  const outer = rangeOf(cidr);
  const candidate = rangeOf(inner);
  return outer.first <= candidate.first && candidate.last <= outer.last;
}

/** True if two CIDRs share an address. */
export function overlaps(a: string, b: string): boolean {
  return contains(a, b) || contains(b, a);
}

/** True for an IPv4 network or broadcast address, or IPv6's subnet-router anycast address. */
export function isReservedIn(cidr: string, address: string): boolean {
  if (!contains(cidr, address)) return false;
  const value = need(address).bigInt();
  const subnet = need(cidr);
  const isLast = family(cidr) === 4 && value === subnet.endAddress().bigInt();
  return value === subnet.startAddress().bigInt() || isLast;
}

/** Ranges of which no host on a network has an address. Source: IANA's special-purpose registries. */
const noHosts = {
  "0.0.0.0/8": "means this host alone",
  "127.0.0.0/8": "a loopback address",
  "224.0.0.0/4": "a multicast address",
  "240.0.0.0/4": "a reserved or broadcast address",
  "::/128": "means this host alone",
  "::1/128": "a loopback address",
  "ff00::/8": "a multicast address",
};

/** Why no other host can have this address; undefined where one can. */
export function whyNoHost(address: string): string | undefined {
  return Object.entries(noHosts).find(([range]) => contains(range, address))?.[1];
}

/** The address that many after this one; the family's last address where there is none. */
export function nth(address: string, offset: number | bigint): string {
  const last = (1n << (family(address) === 4 ? 32n : 128n)) - 1n;
  const wanted = need(address).bigInt() + BigInt(offset);
  const value = wanted < last ? wanted : last;
  return family(address) === 4
    ? Address4.fromBigInt(value).correctForm()
    : Address6.fromBigInt(value).correctForm();
}

/** How many addresses after the first of a CIDR this one, or the first one of this CIDR, is. */
export function offsetIn(cidr: string, address: string): bigint {
  return need(address).startAddress().bigInt() - need(cidr).startAddress().bigInt();
}

/** The last address of a CIDR that a host can have. */
export function lastAddress(cidr: string): string {
  return need(cidr).endAddressExclusive().correctForm();
}

/** An address with every digit: `fd00:0000:…:0001`; IPv4 as it is. */
export function unabridged(address: string): string {
  return parseAddress(address) instanceof Address6
    ? new Address6(address).canonicalForm()
    : canonical(address);
}

/** The bytes of an address, as hexadecimal digits. */
export function hexadecimal(address: string): string {
  const digits = family(address) === 4 ? 8 : 32;
  return need(address).bigInt().toString(16).padStart(digits, "0");
}

/** Puts an IPv6 address in brackets, so that a port can follow. */
export function hostPort(address: string, port: number): string {
  return family(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Of each text that was asked for: rules hold every address against the same few ranges. */
const ranges = new Map<string, { first: bigint; last: bigint }>();

function rangeOf(text: string): { first: bigint; last: bigint } {
  const known = ranges.get(text);
  if (known) return known;
  const parsed = need(text);
  const range = { first: parsed.startAddress().bigInt(), last: parsed.endAddress().bigInt() };
  ranges.set(text, range);
  return range;
}

function need(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`not an address or CIDR: ${text}`);
  return parsed;
}
