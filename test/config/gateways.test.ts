import { describe } from "vitest";
import { refuses, takes } from "./refuses.ts";

const listener = (more: object = {}) => ({ name: "http", port: 8080, ...more });
const gateways = (...list: object[]) => ({ "gatewayApi.gateways": list });
const gateway = (listeners: object[], more: object = {}) => ({
  ...{ name: "edge", namespace: "infra", listeners },
  ...more,
});
const of = (...listeners: object[]) => gateways(gateway(listeners));
const certificateRefs = [{ name: "tls" }];
const https = (more: object = {}) =>
  listener({ name: "https", protocol: "HTTPS", port: 8443, certificateRefs, ...more });
const path = (rest: string) => [`gatewayApi.gateways[0].${rest}`];
const pool = { name: "public", blocks: [{ cidr: "10.10.0.192/27" }] };
const onAddresses = {
  "gatewayApi.exposure": "loadBalancer",
  "cilium.loadBalancerIPPools": [pool],
  "cilium.l2announcements": { enabled: true },
};

describe("gateways", () => {
  refuses([
    {
      name: "the short form's name and namespace again",
      changes: gateways(gateway([listener()], { name: "external-gateway", namespace: "default" })),
      at: path("name"),
      says: "has a gateway of that name already",
    },
    {
      name: "two listeners of one name",
      changes: of(listener(), listener({ port: 8081 })),
      at: path("listeners[1].name"),
      says: "another listener has that name",
    },
    {
      name: "two listeners of one port and host name",
      changes: of(listener(), listener({ name: "b" })),
      at: path("listeners[1].port"),
      says: "http serves the same port",
    },
    {
      name: "two protocols on one port",
      changes: of(listener({ hostname: "a.example.no" }), https({ port: 8080 })),
      at: path("listeners[1].protocol"),
      says: "http speaks HTTP on port 8080",
    },
    {
      name: "HTTPS without a certificate",
      changes: of(https({ certificateRefs: [] })),
      at: path("listeners[0].certificateRefs"),
      says: "kubernetes.io/tls",
    },
    {
      name: "HTTP with a certificate",
      changes: of(listener({ certificateRefs })),
      at: path("listeners[0].certificateRefs"),
      says: "does not terminate TLS",
    },
    ...(
      [
        [6443, "the API server"],
        [22, "sshd"],
        [10250, "the kubelet"],
        [30080, "NodePorts"],
        [4244, "Hubble"],
      ] as const
    ).map(([port, by]) => ({
      name: `a node's own port ${port}`,
      changes: of(listener({ port })),
      at: path("listeners[0].port"),
      says: `the port of ${by}`,
    })),
    {
      name: "a node's own port in the short form",
      changes: { "gatewayApi.gateway.port": 9965 },
      says: "Hubble's metrics",
    },
    {
      name: "one port of the nodes for two gateways",
      changes: of(listener({ port: 80 })),
      at: path("listeners[0].port"),
      says: "external-gateway has that port",
    },
    {
      name: "addresses on the nodes",
      changes: gateways(gateway([listener()], { addresses: ["10.10.0.200"] })),
      at: path("addresses"),
      says: "the nodes' own addresses",
    },
    {
      name: "addresses without a pool",
      changes: { "gatewayApi.exposure": "loadBalancer" },
      says: "there is no pool",
    },
    {
      name: "an address of no pool",
      changes: {
        ...onAddresses,
        ...gateways(gateway([listener()], { addresses: ["10.10.0.200", "10.10.0.99"] })),
      },
      at: path("addresses[1]"),
      says: "in no pool",
    },
    {
      name: "a gateway's address on a VLAN's sub-interface",
      changes: { ...onAddresses, "network.vlan.interface": "eth0.100" },
      at: ["gatewayApi.exposure"],
      says: "cilium#46260",
    },
  ]);
  takes([
    {
      name: "two certificates on one port",
      changes: of(https(), https({ name: "b", hostname: "b.no" })),
    },
    {
      name: "one port for two gateways with addresses",
      changes: { ...onAddresses, ...of(listener({ port: 80 })) },
    },
    {
      name: "an address of a pool",
      changes: {
        ...onAddresses,
        ...gateways(gateway([listener()], { addresses: ["10.10.0.200"] })),
      },
    },
    {
      name: "a VLAN's sub-interface where gateways listen on the nodes",
      changes: { "network.vlan.interface": "eth0.100" },
    },
  ]);
});

describe("without the Gateway API", () => {
  const off = { "gatewayApi.enabled": false };
  refuses([
    { name: "routes", changes: off, at: ["gatewayApi.routes"], says: "none would be made" },
    {
      name: "gateways",
      changes: { ...off, "gatewayApi.routes": [], ...of(listener()) },
      at: ["gatewayApi.gateways"],
      says: "enabled: true",
    },
  ]);
  takes([{ name: "neither", changes: { ...off, "gatewayApi.routes": [] } }]);
});

describe("routes in full", () => {
  const at = (rest: string) => [`gatewayApi.routes[0]${rest}`];
  const backends = [{ name: "v1", port: 80 }];
  const route = (more: object) => ({
    "gatewayApi.routes": [{ name: "a", namespace: "shop", ...more }],
  });
  const parent = { name: "edge", namespace: "infra" };
  refuses([
    { name: "neither form", changes: route({}), at: at(".backends"), says: "has no backend" },
    {
      name: "both forms",
      changes: route({ backends, pathPrefix: "/a", rules: [{ backends }] }),
      at: [...at(".backends"), ...at(".pathPrefix")],
      says: "the short form, beside rules",
    },
    {
      name: "a rule without backends",
      changes: route({ rules: [{ matches: [{ path: "/" }] }] }),
      at: at(".rules[0].backends"),
      says: "has no backend",
    },
    {
      name: "a redirection with backends",
      changes: route({ rules: [{ redirectToHttps: true, backends }] }),
      at: at(".rules[0].backends"),
      says: "reaches no backend",
    },
    {
      name: "weights of a rule that do not add up",
      changes: route({ rules: [{ backends: [{ name: "v1", port: 80, weight: 60 }] }] }),
      at: at(".rules[0].backends"),
      says: "add up to 60",
    },
    {
      name: "a header changed twice",
      changes: route({
        rules: [{ requestHeaders: { set: { "X-A": "1" }, remove: ["x-a"] }, backends }],
      }),
      at: at(".rules[0].requestHeaders"),
      says: "changed twice",
    },
    {
      name: "the region's header by hand as well",
      changes: route({
        regionHeader: true,
        rules: [{ requestHeaders: { add: { "x-region": "SE" } }, backends }],
      }),
      at: at(".rules[0].requestHeaders"),
      says: "changed twice",
    },
    {
      name: "a gateway that is not made",
      changes: route({ backends, parents: [parent] }),
      at: at(".parents[0]"),
      says: "no gateway of that namespace and name",
    },
    {
      name: "a listener that is not there",
      changes: {
        ...of(listener()),
        ...route({ backends, parents: [{ ...parent, listener: "x" }] }),
      },
      at: at(".parents[0]"),
      says: "write one of http",
    },
    {
      name: "a gateway that takes its own namespace's routes alone",
      changes: {
        ...of(listener({ allowedRoutes: "Same" })),
        ...route({ backends, parents: [parent] }),
      },
      at: at(".parents[0]"),
      says: "takes routes of its own namespace alone",
    },
    {
      name: "host names that no listener serves",
      changes: {
        ...of(listener({ hostname: "*.example.no" })),
        ...route({ backends, parents: [parent], hostnames: ["example.no", "shop.example.com"] }),
      },
      at: at(".parents[0]"),
      says: "serves none of these (*.example.no)",
    },
    {
      name: "an address as host name",
      changes: route({ backends, hostnames: ["10.10.0.11"] }),
      at: at(".hostnames[0]"),
      says: "host names alone",
    },
  ]);
  takes([
    {
      name: "a host name below the listener's",
      changes: {
        ...of(listener({ hostname: "*.example.no" })),
        ...route({ backends, parents: [parent], hostnames: ["a.shop.example.no"] }),
      },
    },
    {
      name: "a wider host name than the listener's",
      changes: {
        ...of(listener({ hostname: "shop.example.no" })),
        ...route({ backends, parents: [parent], hostnames: ["*.example.no"] }),
      },
    },
    {
      name: "a gateway that comes from elsewhere",
      changes: { "gatewayApi.gateway.create": false, ...route({ backends }) },
    },
    { name: "a redirection", changes: route({ rules: [{ redirectToHttps: true }] }) },
  ]);
});
