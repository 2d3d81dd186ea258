import { hostPort } from "../../config/cidr.ts";
import { type Cluster, onEveryNode } from "../cluster.ts";
import { fail, notEnabled, type Proof, pass } from "../proof.ts";
import { pause } from "../time.ts";

/** A move takes up to 5 s, in which nobody or two may have it. */
const moveSeconds = 5;

export const virtualAddressProof: Proof = {
  promise: "One control plane has the API server's virtual address, and its API server is ready",
  proof:
    "the address on the interfaces of every control plane: one has it; from every node /readyz asked there, with the certificate checked, and the MAC address that the node remembers for it: that of whoever has it",
  fix: "see journalctl -u oslo-cluster-virtual-address on the control planes; two that have it do not hear one another's VRRP (IP protocol 112)",
  async prove(cluster) {
    const { virtualAddress } = cluster.config.cluster.endpoint;
    if (virtualAddress === undefined)
      return notEnabled("cluster.endpoint.virtualAddress is not set");
    const { address } = virtualAddress;
    const first = await look(cluster, address);
    if (first.problems.length === 0) return pass(first.reading);
    await pause(moveSeconds, cluster.signal);
    const second = await look(cluster, address);
    return second.problems.length === 0 ? pass(second.reading) : fail(second.problems.join("; "));
  },
};

async function look(cluster: Cluster, address: string) {
  const url = `https://${hostPort(address, cluster.config.cluster.endpoint.port)}/readyz`;
  const nic = cluster.config.network.vlan.interface;
  // Whoever has it remembers no neighbour: it says its own.
  const answers = await onEveryNode(
    cluster,
    `held=$(ip -oneline address show to ${address})
ready=$(curl --silent --show-error --max-time 5 --cacert /etc/kubernetes/pki/ca.crt ${url} 2>&1 | head -c 200)
if [ -n "$held" ]; then mac=$(ip -brief link show dev ${nic} | awk '{ print $3 }'); else
  mac=$(ip neighbour show to ${address} dev ${nic} | sed -n 's/.*lladdr \\([0-9a-f:]*\\).*/\\1/p')
fi
echo "\${held:+held}/$mac/$ready"`,
  );
  const rows = answers.map(({ node, output }) => {
    const [held = "", mac = "", ...ready] = output.split("/");
    return { node, isHolder: held === "held", mac, ready: ready.join("/") };
  });
  const holders = rows.filter(({ isHolder }) => isHolder);
  const [holder] = holders;
  const names = holders.map(({ node }) => node).join(", ");
  return {
    reading: `${names} has ${address}; ${rows.length} nodes find it there, ready`,
    problems: [
      ...(holders.length === 1 ? [] : [`${address} is at ${names || "no control plane"}`]),
      ...rows
        .filter(({ ready }) => ready !== "ok")
        .map(({ node, ready }) => `${node}: ${url} answers ${ready || "nothing"}`),
      ...(holder === undefined ? [] : rows)
        .filter(({ mac }) => mac !== holder?.mac)
        .map(
          ({ node, mac }) =>
            `${node} finds ${address} at ${mac || "nobody"}, not at ${holder?.node}`,
        ),
    ],
  };
}
