import { contains, family, parseAddress } from "../cidr.ts";
import type { Config } from "../config.ts";
import { type At, allGateways, type GatewayConfig } from "../gateways.ts";
import { ownerOfPort } from "../ports.ts";
import type { Problem } from "../problem.ts";
import { duplicates, type Rule } from "../rule.ts";

type Gateway = GatewayConfig & At;

/** Gateways that Cilium can serve, each listener of them. */
export const gateways: Rule = function* (config) {
  const { gatewayApi } = config;
  if (!gatewayApi.enabled) {
    yield* withoutGatewayApi(gatewayApi);
    return;
  }
  const all = allGateways(gatewayApi);
  for (const { item } of duplicates(all, (one) => `${one.namespace}/${one.name}`)) {
    yield {
      path: `${item.at}.name`,
      value: item.name,
      why: `namespace ${item.namespace} has a gateway of that name already`,
      fix: "give it another name",
    };
  }
  for (const gateway of all) yield* listenerProblems(gateway);
  if (gatewayApi.exposure === "hostNetwork") yield* onTheNodes(config, all);
  else yield* onTheirAddresses(config, all);
};

function* withoutGatewayApi(gatewayApi: Config["gatewayApi"]): Generator<Problem> {
  for (const key of ["gateways", "routes"] as const) {
    if (gatewayApi[key].length === 0) continue;
    yield {
      path: `gatewayApi.${key}`,
      value: gatewayApi[key].map(({ name }) => name).join(", "),
      why: "none would be made while gatewayApi.enabled is false",
      fix: "write enabled: true, or remove them",
    };
  }
}

function* listenerProblems({ at, listeners }: Gateway): Generator<Problem> {
  for (const { item, index } of duplicates(listeners, ({ name }) => name)) {
    yield {
      path: `${at}.listeners[${index}].name`,
      value: item.name,
      why: "another listener has that name",
      fix: "give it another name",
    };
  }
  const served = duplicates(listeners, ({ port, hostname = "" }) => `${port} ${hostname}`);
  for (const { item, index, first } of served) {
    yield {
      path: `${at}.listeners[${index}].port`,
      value: item.port,
      why: `${first.name} serves the same port and host name`,
      fix: "give another port, or another hostname",
    };
  }
  for (const [l, { port, protocol, certificateRefs }] of listeners.entries()) {
    const path = `${at}.listeners[${l}]`;
    const other = listeners.slice(0, l).find((one) => one.port === port);
    if (other && other.protocol !== protocol) {
      yield {
        path: `${path}.protocol`,
        value: protocol,
        why: `${other.name} speaks ${other.protocol} on port ${port}`,
        fix: "give another port",
      };
    }
    if (protocol === "HTTPS" && certificateRefs.length === 0) {
      yield {
        path: `${path}.certificateRefs`,
        value: [],
        why: "an HTTPS listener needs a certificate",
        fix: "name a Secret of type kubernetes.io/tls",
      };
    }
    if (protocol === "HTTP" && certificateRefs.length > 0) {
      yield {
        path: `${path}.certificateRefs`,
        value: certificateRefs.map(({ name }) => name),
        why: "an HTTP listener does not terminate TLS",
        fix: "write protocol: HTTPS, or remove them",
      };
    }
  }
}

function* onTheNodes(config: Config, all: readonly Gateway[]): Generator<Problem> {
  const ports = all.flatMap(({ at, name, namespace, listeners }) =>
    listeners.map(({ port }, l) => {
      const short = at === "gatewayApi.gateway";
      return {
        path: short ? `${at}.port` : `${at}.listeners[${l}].port`,
        port,
        at,
        name: `${namespace}/${name}`,
      };
    }),
  );
  for (const { path, port } of ports) {
    const owner = ownerOfPort(config, port);
    if (owner === undefined) continue;
    yield {
      path,
      value: port,
      why: `gateways listen on the nodes, and there it is the port of ${owner}`,
      fix: "give another port, or write exposure: loadBalancer",
    };
  }
  for (const [i, { path, port, at }] of ports.entries()) {
    const other = ports.slice(0, i).find((one) => one.port === port && one.at !== at);
    if (other === undefined) continue;
    yield {
      path,
      value: port,
      why: `gateways listen on the nodes, and ${other.name} has that port`,
      fix: "give another port, or write exposure: loadBalancer",
    };
  }
  for (const { at, addresses } of all) {
    if (addresses.length === 0) continue;
    yield {
      path: `${at}.addresses`,
      value: addresses,
      why: "gateways listen on the nodes' own addresses",
      fix: "remove them, or write exposure: loadBalancer",
    };
  }
}

function* onTheirAddresses(
  { cilium, network }: Config,
  all: readonly Gateway[],
): Generator<Problem> {
  const pools = cilium.loadBalancerIPPools;
  if (pools.length === 0) {
    yield {
      path: "gatewayApi.exposure",
      value: "loadBalancer",
      why: "there is no pool to take an address from",
      fix: "give cilium.loadBalancerIPPools, or write hostNetwork",
    };
    return;
  }
  if (cilium.l2announcements.enabled && /[.@]|^vlan/.test(network.vlan.interface)) {
    yield {
      path: "gatewayApi.exposure",
      value: "loadBalancer",
      why: `${network.vlan.interface} is a VLAN's sub-interface: Cilium 1.20 drops what comes there for a gateway's address (cilium#46260)`,
      fix: "give the nodes an untagged NIC, or write hostNetwork",
    };
  }
  for (const { at, addresses } of all) {
    for (const [a, address] of addresses.entries()) {
      if (pools.some(({ blocks }) => blocks.some((block) => holds(block, address)))) continue;
      yield {
        path: `${at}.addresses[${a}]`,
        value: address,
        why: "in no pool of cilium.loadBalancerIPPools",
        fix: "give an address of a pool",
      };
    }
  }
}

type Block = Config["cilium"]["loadBalancerIPPools"][number]["blocks"][number];

function holds({ cidr, start, stop = start }: Block, address: string): boolean {
  if (cidr !== undefined) return contains(cidr, address);
  if (start === undefined || stop === undefined) return false;
  if (family(start) !== family(address)) return false;
  const value = (text: string) => parseAddress(text)?.bigInt() ?? 0n;
  return value(start) <= value(address) && value(address) <= value(stop);
}
