import { duplicates, type Rule } from "../rule.ts";

/** How many control planes there are. */
export const controlPlanes: Rule = function* ({ nodes, libvirt }) {
  const path = libvirt ? "nodes" : "nodes.existing";
  const count = nodes.filter((node) => node.role === "control-plane").length;
  const value = `${count} of ${nodes.length} nodes are control-plane`;
  if (count === 0) {
    yield {
      path,
      value,
      why: "a cluster needs a control plane",
      fix: "give one node the role control-plane",
    };
  } else if (count > 1) {
    yield {
      path,
      value,
      why:
        count % 2 === 0
          ? "etcd gains nothing from an even number of members, and more than one control plane is not built yet"
          : "more than one control plane needs a virtual address or load balancer and staggered etcd joins, which this version does not build yet",
      fix: "give exactly one node the role control-plane",
    };
  }
};

/** Names, addresses and host keys that two nodes share. */
export const distinctNodes: Rule = function* ({ nodes }) {
  for (const { item, first } of duplicates(nodes, (node) => node.name)) {
    yield {
      path: item.at.name,
      value: item.name,
      why: `another node (${first.addresses[0]}) has that name`,
      fix: "give each node a name of its own",
    };
  }
  const addresses = nodes.flatMap((node) =>
    node.addresses.map((address, a) => ({
      node,
      address,
      path: node.at.addresses(a),
    })),
  );
  for (const { item, first } of duplicates(addresses, (entry) => entry.address)) {
    yield {
      path: item.path,
      value: item.address,
      why: `${first.node.name} has that address`,
      fix: "give each node an address of its own",
    };
  }
  const existing = nodes.flatMap(({ name, ssh: { hostKey } }) =>
    hostKey ? [{ name, ssh: { hostKey } }] : [],
  );
  for (const { item, index, first } of duplicates(existing, (node) => node.ssh.hostKey)) {
    yield {
      path: `nodes.existing[${index}].ssh.hostKey`,
      value: item.ssh.hostKey,
      why: `${first.name} has that host key: the machines are clones, or one key was copied twice`,
      fix: "make the key anew on one of them (rm /etc/ssh/ssh_host_*; ssh-keygen -A) and pin it",
    };
  }
};
