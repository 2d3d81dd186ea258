import { Address6 } from "ip-address";
import { contains, parseAddress } from "./cidr.ts";

/** What is reached, in its one spelling: a name in lower case without a last dot, an address, or a CIDR. */
export function canonicalPlace(text: string): string {
  const bare = text.trim().replace(/^\[(.*)\]$/, "$1");
  const [base = "", prefix] = bare.split("/");
  const six = parseAddress(base);
  if (six instanceof Address6) {
    // An IPv4 address that is written as one of IPv6 is that IPv4 address.
    if (
      six.isInSubnet(new Address6("::ffff:0:0/96")) &&
      (prefix === undefined || Number(prefix) >= 96)
    ) {
      const four = six.to4().correctForm();
      return prefix === undefined ? four : `${four}/${Number(prefix) - 96}`;
    }
    return prefix === undefined ? six.correctForm() : `${six.correctForm()}/${prefix}`;
  }
  if (parseAddress(bare)) return bare;
  // As resolvers read it: 134744072, 0x8080808 and 010.8.8.8 are addresses, and EVIL.example. is a name.
  const host = URL.canParse(`http://${bare}/`) ? new URL(`http://${bare}/`).hostname : bare;
  return host.toLowerCase().replace(/\.+$/, "");
}

/** The place that a URL reaches; undefined where it is none. */
export function placeOfUrl(url: string): string | undefined {
  // Schemes that the parser does not know keep their host as it is written.
  const known = url.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "http://");
  return URL.canParse(known) ? canonicalPlace(new URL(known).hostname) : undefined;
}

/** The registry that an image comes from; without one it is Docker's. */
export function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  const isRegistry = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return isRegistry ? canonicalPlace(first.replace(/:\d+$/, "")) : "docker.io";
}

/** What stays on the machine, the VLAN or within the site. */
const own = [
  ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16"],
  ...["0.0.0.0/32", "224.0.0.0/3", "fc00::/7", "fe80::/10", "ff00::/8", "::/127"],
];

/** Whether it is a place outside: a name that can be looked up, a pattern, or an address or CIDR that is not private as a whole. */
export function isOutside(place: string): boolean {
  if (parseAddress(place)) return !own.some((range) => contains(range, place));
  // A policy's pattern may mean any name.
  if (place.includes("*")) return true;
  // localhost, and names without a dot, stay on the machine or the VLAN.
  return /^(?=.*[a-z])[\w-]+(\.[\w-]+)+$/.test(place) && !place.endsWith(".local");
}

/** Whether an entry of an allow-list (a name, `*.` and a domain, an address, a CIDR) covers a place as a whole. */
export function allows(entry: string, place: string): boolean {
  const known = entry.startsWith("*.") ? entry.toLowerCase() : canonicalPlace(entry);
  if (known.startsWith("*.")) return !parseAddress(place) && place.endsWith(known.slice(1));
  return parseAddress(known) && parseAddress(place) ? contains(known, place) : known === place;
}

/** Whether it is an address or a CIDR as it is written, and not a name or a version. */
export function isAddressOrRange(text: string): boolean {
  return parseAddress(text) !== undefined;
}
