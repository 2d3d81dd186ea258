import { z } from "zod";
import { field } from "../field.ts";
import { address, dnsLabel, hostKey, hostname } from "../formats.ts";
import { libvirt } from "./libvirt.ts";
import { role } from "./role.ts";
import { sshLogin } from "./ssh-login.ts";

/** A machine that exists already: a rented VPS, reached over SSH. */
export const existingNode = z.strictObject({
  name: field(dnsLabel, "recreate", "The node's name in Kubernetes; unique."),
  role: field(
    role,
    "impossible",
    "control-plane (etcd, API server, controllers) or worker. Take the node out in one `up` and add it in the next.",
  ),
  addresses: field(
    z
      .array(address)
      .min(1, "empty; give the node's address on the VLAN")
      .max(2, "too many; give one address, or two for dual stack"),
    "impossible",
    "The node's addresses on the VLAN, one per family, in the order of network.vlan.subnets. Those of a worker can change: its kubelet restarts.",
  ),
  ssh: z.strictObject({
    host: field(
      hostname.optional(),
      "none",
      "Where SSH answers. Default: the first of the node's addresses.",
    ),
    ...sshLogin,
    hostKey: field(
      hostKey,
      "recreate",
      "The machine's public host key, pinned from the first byte: `cat /etc/ssh/ssh_host_ed25519_key.pub` in the provider's console. Another key is another machine: a worker leaves the cluster and the new machine joins.",
    ),
  }),
});

/** Two sources of nodes, side by side: what follows treats them alike. */
export const nodes = z.strictObject({
  existing: field(
    z.array(existingNode).default([]),
    "recreate",
    "Machines that exist already, reached over SSH.",
  ),
  libvirt: libvirt.optional(),
});
