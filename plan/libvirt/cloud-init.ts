import { family, prefixLength } from "../../config/cidr.ts";
import type { Config, LibvirtConfig, NodeConfig } from "../../config/config.ts";
import { renderYaml } from "../yaml.ts";
import type { GuestIdentity } from "./identity.ts";

type Part = Pick<Config, "network"> & { libvirt: LibvirtConfig };

/**
 * The three documents of cloud-init's NoCloud source.
 * Source: https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html
 */
export function cloudInit(config: Part, node: NodeConfig, identity: GuestIdentity) {
  return {
    "user-data": `#cloud-config\n${renderYaml(userData(config.libvirt, node))}`,
    "meta-data": renderYaml({ "instance-id": identity.uuid, "local-hostname": node.name }),
    "network-config": renderYaml(networkConfig(config, node, identity)),
  };
}

function userData({ user, authorizedKeys }: LibvirtConfig, node: NodeConfig) {
  return {
    hostname: node.name,
    manage_etc_hosts: true,
    users: [
      {
        name: user,
        ...(user === "root"
          ? {}
          : { sudo: "ALL=(ALL) NOPASSWD:ALL", shell: "/bin/bash", lock_passwd: true }),
        ssh_authorized_keys: authorizedKeys,
      },
    ],
    disable_root: user !== "root",
    ssh_pwauth: false,
    // The only host key is the one that is pinned: steps/hypervisor/guest.sh appends it as ssh_keys.
    ssh_deletekeys: true,
    ssh_genkeytypes: [],
    ...(node.guest?.etcdDiskGibibytes ? etcdDisk : {}),
  };
}

/** kubeadm wants etcd's directory empty, and ext4 puts lost+found into it. */
const etcdDisk = {
  fs_setup: [
    {
      device: "/dev/disk/by-id/virtio-etcd",
      filesystem: "ext4",
      label: "etcd",
      partition: "none",
      overwrite: false,
    },
  ],
  mounts: [["LABEL=etcd", "/var/lib/etcd", "ext4", "noatime", "0", "2"]],
  runcmd: [
    ["rmdir", "--ignore-fail-on-non-empty", "/var/lib/etcd/lost+found"],
    ["chmod", "0700", "/var/lib/etcd"],
  ],
};

function networkConfig({ network, libvirt }: Part, node: NodeConfig, { mac }: GuestIdentity) {
  const { subnets, gateways } = network.vlan;
  return {
    version: 2,
    ethernets: {
      vlan: {
        match: { macaddress: mac },
        "set-name": network.vlan.interface,
        mtu: network.mtu,
        dhcp4: false,
        dhcp6: false,
        "accept-ra": false,
        addresses: node.addresses.map(
          (address, i) => `${address}/${prefixLength(subnets[i] ?? address)}`,
        ),
        routes: gateways.map((via) => ({ to: family(via) === 4 ? "0.0.0.0/0" : "::/0", via })),
        ...(libvirt.nameservers.length > 0
          ? { nameservers: { addresses: libvirt.nameservers } }
          : {}),
      },
    },
  };
}
