import { contains, family } from "../../config/cidr.ts";
import type { Cluster } from "../cluster.ts";
import { type AddressService, addressServices, manifest } from "../probe/addresses.ts";
import { captureScript, packets, readScript } from "../probe/capture.ts";
import { answerOf, askScript } from "../probe/datagram.ts";
import { namespace } from "../probe/namespace.ts";
import { peerOf, ports } from "../probe/pods.ts";
import { fail, notEnabled, notProved, type Proof, pass, type Verdict, worst } from "../proof.ts";
import { selects } from "../selector.ts";
import { askUntil } from "../time.ts";

/** A node may need that long to take a service's lease and to answer, in seconds. */
const announceSeconds = 40;

export const l2AnnouncementsProof: Proof = {
  promise: "One node answers for a service's address on the VLAN, and takes what is sent there",
  proof:
    "the addresses of those services, asked on the VLAN from a node that does not announce them: ARP (IPv6: neighbour discovery) brings the MAC address of the node that holds the service's lease and no other; a datagram leaves for the service's address (tcpdump), and comes back from it",
  fix: "`kubectl -n kube-system get leases` names the node that should answer; look at ARP there: `oslo-cluster debug STACK node NODE`",
  limitSeconds: 110,
  async prove(cluster) {
    if (!cluster.config.cilium.l2announcements.enabled) {
      return notEnabled("cilium.l2announcements.enabled is false");
    }
    if (cluster.nodes.length < 2) return notProved("the cluster has one node");
    const services = await addressServices(cluster);
    if (services.length === 0) return notEnabled("cilium.loadBalancerIPPools is empty");
    return worst(await Promise.all(services.map((service) => announced(cluster, service))));
  },
};

async function announced(cluster: Cluster, service: AddressService): Promise<Verdict> {
  const { pool } = service;
  const { interface: device, subnets } = cluster.config.network.vlan;
  if (!hasPolicy(cluster, service)) {
    return notProved(`${pool.name}: no policy of ours announces its services on ${device}`);
  }
  if (service.addresses.length === 0) return fail(`${pool.name}: no address to announce`);
  const onVlan = service.addresses.filter((address) =>
    subnets.some((subnet) => contains(subnet, address)),
  );
  if (onVlan.length === 0) return notProved(`${pool.name}: none of its addresses is of the VLAN`);
  return askUntil(
    ({ verdict }) => verdict === "pass",
    announceSeconds,
    cluster.signal,
    () => answered(cluster, service, onVlan),
  );
}

async function answered(
  cluster: Cluster,
  service: AddressService,
  addresses: readonly string[],
): Promise<Verdict> {
  const { pool } = service;
  const holder = await holderOf(cluster, service);
  if (holder === "") return fail(`${pool.name}: no node has taken its service's lease`);
  if (!cluster.nodes.includes(holder)) return fail(`${pool.name}: ${holder} holds its lease`);
  // Its own pod is the backend: who is asked answers, and nothing depends on a third node.
  await cluster.apply([manifest(service, holder)]);
  const { interface: device } = cluster.config.network.vlan;
  const mac = await cluster.onNode(
    holder,
    `ip -brief link show dev ${device} | awk '{ print $3 }'`,
  );
  return worst(
    await Promise.all(
      addresses.map((address) => asked(cluster, service, { address, holder, mac })),
    ),
  );
}

/** Whether a policy of the stack announces the service where the VLAN is. */
function hasPolicy({ config }: Cluster, { labels }: AddressService): boolean {
  const { policies } = config.cilium.l2announcements;
  const { interface: device } = config.network.vlan;
  return (
    policies.length === 0 ||
    policies.some(
      ({ interfaces, serviceSelector, loadBalancerIPs }) =>
        loadBalancerIPs &&
        (interfaces?.some((pattern) => new RegExp(pattern).test(device)) ?? true) &&
        selects(serviceSelector, labels),
    )
  );
}

async function holderOf({ kubectl }: Cluster, { name }: AddressService): Promise<string> {
  const lease = `cilium-l2announce-${namespace}-${name}`;
  const holder = await kubectl(
    ...["-n", "kube-system", "get", "lease", lease, "--ignore-not-found", "-o"],
    "jsonpath={.spec.holderIdentity}",
  );
  return holder.trim();
}

async function asked(
  cluster: Cluster,
  { name }: AddressService,
  { address, holder, mac }: { address: string; holder: string; mac: string },
): Promise<Verdict> {
  const { interface: device } = cluster.config.network.vlan;
  const from = peerOf(cluster.nodes, holder);
  const addresses = cluster.plan.nodes.find((node) => node.name === from)?.addresses ?? [];
  const own = addresses.find((one) => family(one) === family(address)) ?? "";
  const capture = `${name}-${family(address)}`;
  await cluster.onNode(
    from,
    captureScript(capture, device, `udp and dst host ${address} and dst port ${ports.udp}`),
  );
  const script = askScript({ address, port: ports.udp, device, own }, name);
  const { isAnswered, macs } = answerOf(await cluster.onNode(from, script));
  const sent = packets(await cluster.onNode(from, readScript(capture))).length;
  if (macs.length === 0) return fail(`${address}: nobody answers for it on ${device} of ${from}`);
  if (macs.join() !== mac) {
    return fail(`${address}: ${macs.join(" and ")} answers for it, ${holder} has ${mac}`);
  }
  if (!isAnswered) return fail(`${address}: a datagram from ${from} to ${holder} is not answered`);
  if (sent === 0) return fail(`${address}: answered, but not by way of ${device} of ${from}`);
  return pass(`${address}: ${mac} (${holder}), asked from ${from}`);
}
