import { hostPort } from "../../config/cidr.ts";
import type { Config, NodeConfig } from "../../config/config.ts";
import { allGateways } from "../../config/gateways.ts";
import { box, label, line, picture } from "./svg.ts";

const width = 1200;
const margin = 24;
const inner = width - 2 * margin;
const cell = { width: 131, height: 40, gap: 10 };
const perRow = Math.floor((inner - 28 + cell.gap) / (cell.width + cell.gap));

/** Nodes that are drawn in one frame. */
interface Group {
  title: string;
  nodes: NodeConfig[];
}

/**
 * The stack as a picture: who reaches it and how, the VLAN, machines by hypervisor and role, and what
 * serves clients. An SVG that follows the reader's light or dark setting; the same bytes each time. Pure.
 */
export function stackPicture(config: Config): string {
  const { cluster, network, ssh } = config;
  const parts: string[] = [];
  const { host, port } = cluster.endpoint;
  const way = [
    { kind: "person", title: "operator", detail: "pulumi up" },
    ...(ssh.bastion ? [{ kind: "machine", title: "bastion", detail: ssh.bastion.host }] : []),
    { kind: "endpoint", title: "API server", detail: hostPort(host, port) },
  ];
  const between = 60;
  const step = (inner + between) / way.length;
  for (const [i, { kind, title, detail }] of way.entries()) {
    const x = margin + i * step;
    if (i > 0) parts.push(line(x - between, margin + 56, x, margin + 56));
    parts.push(box(kind, x, margin + 30, step - between, 52, title, detail));
  }
  const endpoint = width - margin - (step - between) / 2;
  parts.push(line(endpoint, margin + 82, endpoint, margin + 110));

  let y = margin + 110;
  const { subnets, interface: device, id } = network.vlan;
  const tag = id === undefined ? "" : ` ${id}`;
  const vlan = `private VLAN${tag} on ${device}, MTU ${network.mtu}`;
  parts.push(box("vlan", margin, y, inner, 46, vlan, subnets.join(", ")));
  y += 46;

  for (const group of groupsOf(config)) {
    const rows = Math.ceil(group.nodes.length / perRow);
    const height = 34 + rows * (cell.height + cell.gap);
    parts.push(line(width / 2, y, width / 2, y + 18));
    y += 18;
    parts.push(box("group", margin, y, inner, height), label(margin + 14, y + 20, group.title));
    for (const [i, node] of group.nodes.entries()) {
      const x = margin + 14 + (i % perRow) * (cell.width + cell.gap);
      const top = y + 30 + Math.floor(i / perRow) * (cell.height + cell.gap);
      const [address = ""] = node.addresses;
      parts.push(box(node.role, x, top, cell.width, cell.height, node.name, address));
    }
    y += height;
  }

  const serving = servingOf(config);
  if (serving.length > 0) {
    y += 18;
    const columns = 4;
    const span = (inner - (columns - 1) * cell.gap) / columns;
    for (const [i, { kind, title, detail }] of serving.entries()) {
      const x = margin + (i % columns) * (span + cell.gap);
      const top = y + Math.floor(i / columns) * 62;
      parts.push(box(kind, x, top, span, 52, title, detail));
    }
    y += Math.ceil(serving.length / columns) * 62;
  }
  const counts = `${config.nodes.length} nodes, Kubernetes ${config.kubernetes.version}, Cilium ${config.cilium.version}`;
  const title = `${cluster.name} (${cluster.region}): ${counts}`;
  return picture(width, y + margin, title, parts);
}

/** By hypervisor, and there by role; machines that exist already come first. */
function groupsOf({ nodes }: Config): Group[] {
  const hypervisors = [
    undefined,
    ...new Set(nodes.flatMap(({ guest }) => guest?.hypervisor ?? [])),
  ];
  return hypervisors.flatMap((hypervisor) =>
    (["control-plane", "worker"] as const).flatMap((role) => {
      const own = nodes.filter(
        (node) => node.role === role && node.guest?.hypervisor === hypervisor,
      );
      if (own.length === 0) return [];
      const kind = role === "worker" ? "worker" : "control plane";
      const what = own.length === 1 ? kind : `${kind}s`;
      const where = hypervisor === undefined ? "" : ` on hypervisor ${hypervisor}`;
      return [{ title: `${own.length} ${what}${where}`, nodes: own }];
    }),
  );
}

/** Gateways, pools of addresses and the routers that learn them. */
function servingOf({ gatewayApi, cilium }: Config) {
  const gateways = gatewayApi.enabled ? allGateways(gatewayApi) : [];
  const { loadBalancerIPPools: pools, bgpControlPlane: bgp } = cilium;
  return [
    ...gateways.map(({ name }) => ({ kind: "gateway", title: `gateway ${name}`, detail: "" })),
    ...pools.map(({ name, blocks }) => ({
      kind: "pool",
      title: `pool ${name}`,
      detail: blocks.map(({ cidr, start, stop }) => cidr ?? `${start} to ${stop}`).join(", "),
    })),
    ...(bgp.enabled ? bgp.peers : []).map(({ name, peerAddress, peerASN }) => ({
      kind: "router",
      title: `router ${name}`,
      detail: `AS ${peerASN}, ${peerAddress}`,
    })),
  ];
}
