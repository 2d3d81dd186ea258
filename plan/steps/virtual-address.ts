import { family, hostPort } from "../../config/cidr.ts";
import type { Config, NodeConfig } from "../../config/config.ts";
import { effect } from "../effect.ts";
import { directory } from "../kubeadm.ts";
import { type Content, defineStep } from "../step.ts";

type VirtualAddress = NonNullable<Config["cluster"]["endpoint"]["virtualAddress"]>;

const check = "/usr/local/lib/oslo-cluster/virtual-address-check.sh";
const run = "/run/oslo-cluster-virtual-address";
/** There while keepalived means to have the address. */
const master = `${run}/master`;

/**
 * keepalived on every control plane: one whose API server is ready has the virtual address. Without one
 * in the stack's file nobody has it any more.
 */
export const virtualAddress = defineStep({
  name: "virtual-address",
  resource: "upkeep",
  on: (_, { role }) => role === "control-plane",
  document(config, node): Content {
    const { endpoint } = config.cluster;
    if (endpoint.virtualAddress === undefined) return { vars: { ADDRESS: "none" } };
    const { address } = endpoint.virtualAddress;
    return {
      vars: { ADDRESS: address, READYZ: `https://${hostPort(address, endpoint.port)}/readyz` },
      files: {
        [`${directory}/keepalived.conf`]: keepalived(config, node, endpoint.virtualAddress),
        "/etc/systemd/system/oslo-cluster-virtual-address.service": unit(config, address),
      },
    };
  },
  effects: {
    default: effect(
      "restart",
      "keepalived loads it again; the virtual address may move, and be away for 5 s",
    ),
  },
});

function keepalived(config: Config, node: NodeConfig, { address, routerId }: VirtualAddress) {
  const { cluster, network } = config;
  const nic = network.vlan.interface;
  const planes = config.nodes.filter(({ role }) => role === "control-plane");
  const own = ownAddress(node, address);
  // Far apart, so that two never take the address at once.
  const priority = 250 - 50 * planes.findIndex(({ name }) => name === node.name);
  const others = planes
    .filter(({ name }) => name !== node.name)
    .map((peer) => ownAddress(peer, address));
  const server = (of: string) => `https://${hostPort(of, cluster.endpoint.port)}`;
  const asked = [`${server(own)}/readyz`, ...others.map(server)];
  return `global_defs {
  router_id ${node.name}
  vrrp_version 3
  script_user root
  enable_script_security
  # Who has missed one announcement of a move hears the next.
  vrrp_garp_master_repeat 5
  vrrp_garp_master_refresh 10
}

vrrp_script fit {
  script "/usr/bin/bash ${check} ${cidr(address)} ${nic} ${master} ${asked.join(" ")}"
  interval 1
  timeout 2
  fall 3
  rise 2
}

vrrp_instance api {
  # Who has the address keeps it: a control plane that comes back does not take it.
  state BACKUP
  nopreempt
  interface ${nic}
  virtual_router_id ${routerId}
  priority ${priority}
  advert_int 1
  unicast_src_ip ${own}
  unicast_peer {
${others.map((one) => `    ${one}`).join("\n")}
  }
  virtual_ipaddress {
    ${cidr(address)} dev ${nic}
  }
  track_script {
    fit
  }
  notify_master "/usr/bin/touch ${master}"
${["backup", "fault", "stop"].map((state) => `  notify_${state} "/usr/bin/rm -f ${master}"`).join("\n")}
}
`;
}

/** A unit of its own: the distribution's, and what it may serve, is left alone. */
function unit({ network }: Config, address: string): string {
  return `[Unit]
Description=The virtual address of the Kubernetes API
After=network-online.target
Wants=network-online.target

[Service]
RuntimeDirectory=oslo-cluster-virtual-address
ExecStart=/usr/sbin/keepalived --dont-fork --log-console --vrrp --use-file=${directory}/keepalived.conf --pid=${run}/keepalived.pid --vrrp_pid=${run}/vrrp.pid
ExecReload=/bin/kill -HUP $MAINPID
# Also where it was killed: another one has the address by then.
ExecStopPost=-/usr/sbin/ip address delete ${cidr(address)} dev ${network.vlan.interface}
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
`;
}

/** Alone, and in no subnet: it never becomes the source of what the node itself sends. */
function cidr(address: string): string {
  return `${address}/${family(address) === 4 ? 32 : 128}`;
}

function ownAddress({ addresses }: NodeConfig, virtual: string): string {
  return addresses.find((one) => family(one) === family(virtual)) ?? "";
}
