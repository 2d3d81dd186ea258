import { hostNamespace, portOf, segment } from "../segment.ts";

/** Where a host is on the segment. */
export interface Host {
  name: string;
  address: string;
  address6: string;
  mac: string;
}

const firstOctet = 11;

/** Gives each name its addresses: 10.10.0.11 and fd00:10:10::11, and so on in the given order. */
export function describeHosts(names: readonly string[]): Host[] {
  return names.map((name, index) => {
    if (!/^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$/.test(name)) {
      throw new Error(`host name '${name}': must be lower-case letters, digits and hyphens`);
    }
    const octet = firstOctet + index;
    return {
      name,
      address: `10.10.0.${octet}`,
      address6: `fd00:10:10::${octet}`,
      mac: `52:54:00:10:00:${octet.toString(16).padStart(2, "0")}`,
    };
  });
}

/** The arguments of attach-host.sh for a host. */
export function attachArguments(host: Host): string[] {
  return [
    hostNamespace(host.name),
    ...[segment.netns, segment.bridge, portOf(host), host.mac],
    ...[`${host.address}/${segment.prefixLength}`, segment.address],
    ...[`${host.address6}/${segment.prefixLength6}`, segment.address6],
  ];
}
