import { isAddress } from "../cidr.ts";
import type { Config } from "../config.ts";
import type { Rule } from "../rule.ts";
import { has, rangeOf, rangeOfCidr } from "./ranges.ts";

/**
 * Hosts that the operator or the nodes talk to and that are no node's address on the VLAN: packets for
 * an address of the pods', the services' or a pool's range never leave a node.
 */
export const outsideHosts: Rule = function* (config) {
  const { cilium, network } = config;
  const taken = [
    ...(["podSubnets", "serviceSubnets"] as const).flatMap((key) =>
      network[key].map((cidr) => ({ range: rangeOfCidr(cidr), name: `network.${key} (${cidr})` })),
    ),
    ...cilium.loadBalancerIPPools.flatMap(({ name, blocks }) =>
      blocks.flatMap((block) => {
        const range = rangeOf(block);
        return range ? [{ range, name: `the pool ${name} (${range.text})` }] : [];
      }),
    ),
  ];
  for (const { path, host } of hosts(config)) {
    const one = taken.find(({ range }) => has(range, host));
    if (one === undefined) continue;
    yield {
      path,
      value: host,
      why: `is in ${one.name}: nodes would not reach it`,
      fix: "give an address outside of it, or move that range",
    };
  }
};

function hosts({ nodes, libvirt, ssh, cilium, tuning, verify, network }: Config) {
  const onVlan = (host: string) => nodes.some(({ addresses }) => addresses.includes(host));
  const all: { path: string; host: string | undefined }[] = [
    ...nodes.flatMap(({ guest, ssh: { host } }, i) =>
      guest ? [] : [{ path: `nodes.existing[${i}].ssh.host`, host }],
    ),
    { path: "ssh.bastion.host", host: ssh.bastion?.host },
    ...(libvirt?.hypervisors ?? []).map(({ ssh: { host } }, i) => ({
      path: `nodes.libvirt.hypervisors[${i}].ssh.host`,
      host,
    })),
    ...(libvirt?.nameservers ?? []).map((host, i) => ({
      path: `nodes.libvirt.nameservers[${i}]`,
      host,
    })),
    ...cilium.bgpControlPlane.peers.map(({ peerAddress }, i) => ({
      path: `cilium.bgpControlPlane.peers[${i}].peerAddress`,
      host: peerAddress,
    })),
    ...tuning.ntpServers.map((host, i) => ({ path: `tuning.ntpServers[${i}]`, host })),
    { path: "verify.nixAddress", host: verify.nixAddress },
  ];
  return all.flatMap(({ path, host }) =>
    host && isAddress(host) && !onVlan(host) && !network.vlan.gateways.includes(host)
      ? [{ path, host }]
      : [],
  );
}
