import { effect } from "../../effect.ts";
import { vlanNames } from "../names.ts";
import { onHypervisor } from "../step.ts";

const otherVlan = effect(
  "impossible",
  "guests are on it, and the preflight refuses another: put it back, or destroy the cluster first",
);
const inPlace = effect("live", "the VLAN's devices take it at once; guests stay on their bridge");

/** The VLAN as a systemd unit, whatever configures the hypervisor's own network. */
export const vlan = onHypervisor({
  name: "vlan",
  note: "A change is applied at once.",
  files: ["unit", "functions.xml"],
  document({ config, hypervisor, guests }) {
    const { cluster, network } = config;
    const names = vlanNames(config, hypervisor);
    const functions = guests.some(({ guest }) => guest?.nic === "sriov");
    return {
      vars: {
        CLUSTER: cluster.name,
        UPLINK: hypervisor.uplink,
        VLAN: network.vlan.id,
        ...names,
        MTU: network.mtu,
      },
      files: {
        unit: vlanUnit({
          ...names,
          cluster: cluster.name,
          mtu: network.mtu,
          id: network.vlan.id,
          uplink: hypervisor.uplink,
        }),
        ...(functions
          ? {
              "functions.xml": [
                "<network>",
                `  <name>${names.BRIDGE}-functions</name>`,
                '  <forward mode="hostdev" managed="yes">',
                `    <pf dev="${hypervisor.uplink}"/>`,
                "  </forward>",
                "  <vlan>",
                `    <tag id="${network.vlan.id}"/>`,
                "  </vlan>",
                "</network>",
              ].join("\n"),
            }
          : {}),
      },
    };
  },
  effects: {
    default: inPlace,
    vars: { UPLINK: otherVlan, VLAN: otherVlan, VLAN_DEVICE: otherVlan, BRIDGE: otherVlan },
    files: {
      unit: (before, after) => [before && head(before) !== head(after) ? otherVlan : inPlace],
      "functions.xml": (before, after) => [before && after ? otherVlan : inPlace],
    },
  },
  directives: () => [
    {
      article: "004",
      says: "nodes share a Layer 2 domain, as in private VLANs",
      applied:
        "a bridge per VLAN on every hypervisor, tagged on its uplink, no spanning tree, no filter on ports",
      why: "Applied; the guest's NIC is untagged, since Cilium 1.20 drops a Gateway's address on a VLAN sub-interface (cilium#46260).",
    },
  ],
});

interface VlanUnit {
  cluster: string;
  uplink: string;
  id: number | undefined;
  mtu: number;
  VLAN_DEVICE: string;
  BRIDGE: string;
}

/**
 * Tagged on the uplink, untagged on the bridge. No spanning tree: a port would be deaf for 30 s. No
 * snooping: without a querier it drops IPv6 neighbour discovery.
 */
function vlanUnit({ cluster, uplink, id, mtu, VLAN_DEVICE, BRIDGE }: VlanUnit): string {
  const once = (device: string, make: string) =>
    `ExecStart=/bin/sh -c 'ip link show dev ${device} >/dev/null 2>&1 || ${make}'`;
  return [
    "[Unit]",
    `Description=VLAN ${id} on ${uplink} for cluster ${cluster}`,
    "After=network.target",
    "Before=libvirtd.service virtqemud.service libvirt-guests.service",
    "",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    once(
      BRIDGE,
      `ip link add name ${BRIDGE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    ),
    once(VLAN_DEVICE, `ip link add link ${uplink} name ${VLAN_DEVICE} type vlan id ${id}`),
    `ExecStart=/bin/sh -c 'ip link set dev ${VLAN_DEVICE} mtu ${mtu} master ${BRIDGE} up'`,
    `ExecStart=/bin/sh -c 'ip link set dev ${BRIDGE} mtu ${mtu} addrgenmode none up'`,
    `ExecStop=/bin/sh -c 'ip link delete dev ${VLAN_DEVICE}'`,
    `ExecStop=/bin/sh -c 'ip link delete dev ${BRIDGE}'`,
    "",
    "[Install]",
    "WantedBy=multi-user.target",
  ].join("\n");
}

/** The unit's lines that name VLAN and uplink. */
function head(unit: string | undefined): string | undefined {
  return unit?.split("\n").find((line) => line.startsWith("Description="));
}
