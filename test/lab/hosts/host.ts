import { hostNamespace, portOf, segment, xdpProgram } from "../segment.ts";
import { trunk } from "../trunk.ts";

/** Where a host is on the segment. */
export interface Host {
  name: string;
  address: string;
  address6: string;
  mac: string;
  /** MAC address of eth1, the port of the trunk. @default the host has no eth1 */
  uplinkMac?: string;
}

/** Gives each name its addresses: 10.10.0.11 and fd00:10:10::11, and so on in the given order. */
export function describeHosts(names: readonly string[]): Host[] {
  return describe(names, 11);
}

/** As hosts, from 10.10.0.41 and fd00:10:10::41 on, and with an uplink. */
export function describeHypervisors(names: readonly string[]): Host[] {
  return describe(names, 41).map((host) => ({
    ...host,
    uplinkMac: host.mac.replace("52:54:00:10:", "52:54:00:11:"),
  }));
}

function describe(names: readonly string[], firstOctet: number): Host[] {
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
  const port = host.address.split(".")[3];
  return [
    hostNamespace(host.name),
    ...[segment.netns, segment.bridge, portOf(host), host.mac],
    ...[`${host.address}/${segment.prefixLength}`, segment.address],
    ...[`${host.address6}/${segment.prefixLength6}`, segment.address6, xdpProgram],
    ...(host.uplinkMac ? [trunk.bridge, `trunk-${port}`, host.uplinkMac, `${trunk.mtu}`] : []),
  ];
}
