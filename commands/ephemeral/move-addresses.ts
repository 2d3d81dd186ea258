import {
  contains,
  family,
  isAddress,
  isCidr,
  nth,
  offsetIn,
  prefixLength,
} from "../../config/cidr.ts";

/** Where machines are reached from outside, and what is fetched: no address of the cluster's own. */
const staying = new Set(["ssh", "artifacts"]);

/**
 * The value with every address and range of some subnets at the same place in others: the third
 * host stays the third host.
 */
export function moveAddresses(
  value: unknown,
  from: readonly string[],
  to: readonly string[],
): unknown {
  if (typeof value === "string") return moveText(value, from, to);
  if (Array.isArray(value)) return value.map((item) => moveAddresses(item, from, to));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      staying.has(key) ? inner : moveAddresses(inner, from, to),
    ]),
  );
}

function moveText(text: string, from: readonly string[], to: readonly string[]): string {
  if (!isAddress(text) && !isCidr(text)) return text;
  const old = from.find((subnet) => contains(subnet, text));
  const subnet = to.find((candidate) => family(candidate) === family(text));
  if (old === undefined || subnet === undefined) return text;
  if (isCidr(text) && prefixLength(text) === prefixLength(old)) return subnet;
  const first = nth(subnet.split("/")[0] as string, offsetIn(old, text));
  return isCidr(text) ? `${first}/${prefixLength(text)}` : first;
}
