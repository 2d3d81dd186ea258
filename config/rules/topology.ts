import { duplicates, type Rule } from "../rule.ts";

/** How many control planes there are, and that no hypervisor holds most of them. */
export const controlPlanes: Rule = function* ({ nodes, libvirt }) {
  const path = libvirt ? "nodes" : "nodes.existing";
  const controlPlanes = nodes.filter((node) => node.role === "control-plane");
  const count = controlPlanes.length;
  const value = `${count} of ${nodes.length} nodes are control-plane`;
  if (count === 0) {
    yield {
      path,
      value,
      why: "a cluster needs a control plane",
      fix: "give one node the role control-plane",
    };
  } else if (![1, 3, 5].includes(count)) {
    yield {
      path,
      value,
      why:
        count % 2 === 0
          ? "an even number of etcd members survives no more failures than one fewer"
          : "more than 5 etcd members make every write slower, for failures that nobody plans for",
      fix: "give 1, 3 or 5 nodes the role control-plane",
    };
  }
  if (count < 2) return;
  for (const { name } of libvirt?.hypervisors ?? []) {
    const guests = controlPlanes.filter(({ guest }) => guest?.hypervisor === name);
    if (guests.length <= (count - 1) / 2) continue;
    yield {
      path: guests.at(-1)?.at.name ?? path,
      value: guests.map((guest) => guest.name).join(", "),
      why: `${guests.length} of ${count} control planes are guests of ${name}: etcd's majority ends with it`,
      fix: `put at most ${Math.floor((count - 1) / 2)} of them on one hypervisor`,
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
      fix: "make a new key on one of them (rm /etc/ssh/ssh_host_*; ssh-keygen -A) and pin it",
    };
  }
};
