import { cpusOf } from "../nodes.ts";
import { duplicates, type Rule } from "../rule.ts";

const at = "nodes.libvirt";

/** Guests are on a VLAN that has an id, on a device whose name Linux takes. */
export const vlanId: Rule = function* ({ libvirt, network: { vlan } }) {
  if (libvirt === undefined) return;
  if (vlan.id === undefined) {
    yield {
      path: "network.vlan.id",
      value: vlan.id,
      why: "guests need a VLAN on their hypervisors' uplinks",
      fix: "give its id, 1 to 4094",
    };
  }
  for (const [i, { uplink }] of libvirt.hypervisors.entries()) {
    const device = `${uplink}.${vlan.id}`;
    if (device.length <= 15) continue;
    yield {
      path: `${at}.hypervisors[${i}].uplink`,
      value: uplink,
      why: `the VLAN's device would be ${device}, longer than Linux's 15 characters`,
      fix: "give the interface a shorter name (systemd.link), or an alternative name that is short",
    };
  }
};

/** One source of the image. */
export const imageSource: Rule = function* ({ libvirt }) {
  const { url, path } = libvirt?.image ?? {};
  if (!url || !path) return;
  yield {
    path: `${at}.image.url`,
    value: url,
    why: `nodes.libvirt.image.path (${path}) is set as well`,
    fix: "remove one of them",
  };
};

/** Hypervisors that differ. */
export const hypervisorNames: Rule = function* ({ libvirt, nodes }) {
  const hypervisors = libvirt?.hypervisors ?? [];
  for (const { item, index } of duplicates(hypervisors, ({ name }) => name)) {
    yield {
      path: `${at}.hypervisors[${index}].name`,
      value: item.name,
      why: "another hypervisor has that name",
      fix: "give each hypervisor a name of its own",
    };
  }
  for (const { item, index, first } of duplicates(hypervisors, ({ ssh }) => ssh.hostKey)) {
    yield {
      path: `${at}.hypervisors[${index}].ssh.hostKey`,
      value: item.ssh.hostKey,
      why: `${first.name} has that host key: one machine twice, or a clone`,
      fix: "name each machine once, and give clones host keys of their own",
    };
  }
  for (const [index, { name }] of hypervisors.entries()) {
    if (!nodes.some((node) => node.name === name)) continue;
    yield {
      path: `${at}.hypervisors[${index}].name`,
      value: name,
      why: "a node has that name",
      fix: "give the hypervisor another one",
    };
  }
};

/** What a pool says of itself. */
export const pools: Rule = function* ({ libvirt }) {
  for (const [i, pool] of (libvirt?.pools ?? []).entries()) {
    const path = `${at}.pools[${i}]`;
    const last = `${pool.name}-${pool.count}`;
    if (last.length > 63) {
      yield {
        path: `${path}.name`,
        value: pool.name,
        why: `its node ${last} would have a name of ${last.length} characters, and the label kubernetes.io/hostname takes 63`,
        fix: `write at most ${63 - String(pool.count).length - 1} characters`,
      };
    }
    for (const [h, name] of pool.hypervisors.entries()) {
      if (libvirt?.hypervisors.some((hypervisor) => hypervisor.name === name)) continue;
      yield {
        path: `${path}.hypervisors[${h}]`,
        value: name,
        why: `no such hypervisor (there are: ${libvirt?.hypervisors.map((hv) => hv.name).join(", ")})`,
        fix: "name one of nodes.libvirt.hypervisors",
      };
    }
    for (const [name, generation] of Object.entries(pool.generations)) {
      const number = name.startsWith(`${pool.name}-`)
        ? Number(name.slice(pool.name.length + 1))
        : 0;
      if (Number.isInteger(number) && number >= 1 && number <= pool.count) continue;
      yield {
        path: `${path}.generations.${name}`,
        value: generation,
        why: `no node of this pool (${pool.name}-1 to ${pool.name}-${pool.count})`,
        fix: "correct the name, or remove it",
      };
    }
    if (pool.role === "worker" && pool.etcdDiskGibibytes !== undefined) {
      yield {
        path: `${path}.etcdDiskGibibytes`,
        value: pool.etcdDiskGibibytes,
        why: "workers have no etcd",
        fix: "remove it",
      };
    }
  }
};

/** What emulation cannot do. */
export const guests: Rule = function* ({ libvirt }) {
  if (libvirt?.domainType !== "qemu") return;
  for (const [i, { cpuModel }] of libvirt.pools.entries()) {
    if (!cpuModel.startsWith("host-")) continue;
    yield {
      path: `${at}.pools[${i}].cpuModel`,
      value: cpuModel,
      why: "emulation (nodes.libvirt.domainType: qemu) cannot pass the host's CPU on",
      fix: "write a model such as Nehalem, or set domainType: kvm",
    };
  }
};

/** A pinned CPU belongs to one guest. */
export const cpuPins: Rule = function* ({ libvirt, nodes }) {
  if (libvirt === undefined) return;
  const taken = new Map<string, string>();
  for (const [i, pool] of libvirt.pools.entries()) {
    if (pool.cpuPinning === undefined) continue;
    const cpus = cpusOf(pool.cpuPinning);
    const problem = (why: string, fix: string) => ({
      path: `${at}.pools[${i}].cpuPinning`,
      value: pool.cpuPinning,
      why,
      fix,
    });
    for (const { item } of duplicates(cpus, String)) {
      yield problem(`names CPU ${item} twice: two vCPUs would share it`, "name each CPU once");
      break;
    }
    for (const hypervisor of new Set(pool.hypervisors)) {
      const here = nodes.filter(
        (node) =>
          node.at.name === `${at}.pools[${i}].name` && node.guest?.hypervisor === hypervisor,
      );
      const needed = here.length * pool.vcpus;
      if (needed > new Set(cpus).size) {
        yield problem(
          `${here.length} nodes with ${pool.vcpus} vCPUs on ${hypervisor} need ${needed} CPUs, and ${new Set(cpus).size} are named`,
          "name more CPUs, or lower vcpus or count",
        );
      }
      for (const cpu of new Set(cpus)) {
        const other = taken.get(`${hypervisor} ${cpu}`);
        if (other) {
          yield problem(
            `CPU ${cpu} of ${hypervisor} belongs to pool ${other} as well`,
            "give each pool CPUs of its own",
          );
          break;
        }
      }
      for (const cpu of cpus) taken.set(`${hypervisor} ${cpu}`, pool.name);
    }
  }
};

/** Memory is given away once. What the machine really has is measured before anything is made. */
export const guestMemory: Rule = function* ({ libvirt, nodes }) {
  for (const [i, { name, memoryMebibytes }] of (libvirt?.hypervisors ?? []).entries()) {
    if (memoryMebibytes === undefined) continue;
    const here = nodes.flatMap(({ name: node, guest }) =>
      guest?.hypervisor === name ? [{ node, mebibytes: guest.memoryMebibytes }] : [],
    );
    const sum = here.reduce((total, { mebibytes }) => total + mebibytes, 0);
    if (sum <= memoryMebibytes) continue;
    yield {
      path: `${at}.hypervisors[${i}].memoryMebibytes`,
      value: memoryMebibytes,
      why: `guests take ${sum} MiB (${here.map(({ node, mebibytes }) => `${node} ${mebibytes}`).join(", ")})`,
      fix: "lower memoryMebibytes or count of a pool, or place nodes elsewhere",
    };
  }
};
