import { describe } from "vitest";
import { refuses, takes } from "./refuses.ts";

const at = (rest: string) => [`policies.networkPolicies[0]${rest}`];
const policy = (more: object) => ({
  "policies.networkPolicies": [{ name: "a", namespace: "finance", ...more }],
});
const withoutProxy = {
  "cilium.l7Proxy": false,
  "gatewayApi.enabled": false,
  "gatewayApi.routes": [],
};
const ports = [{ port: 80 }];
const http = [{ method: "GET" }];
const toFQDNs = [{ matchName: "api.example.no" }];
const dns = [{ matchPattern: "*" }];
const servers = (...apps: string[]) => apps.map((app) => ({ matchLabels: { "k8s-app": app } }));
const asking = (names: object[], ...apps: string[]) => ({
  toEndpoints: servers("kube-dns", ...apps),
  toPorts: [{ ports: [{ port: 53, protocol: "ANY" }], rules: { dns: names } }],
});

describe("policies", () => {
  refuses([
    {
      name: "rules of HTTP without the proxy",
      changes: {
        ...policy({ ingress: [{ toPorts: [{ ports, rules: { http } }] }] }),
        ...withoutProxy,
      },
      at: at(".ingress[0].toPorts[0].rules"),
      says: "rules of L7 are the proxy's",
    },
    {
      name: "names without the proxy",
      changes: { ...policy({ egress: [{ toFQDNs }] }), ...withoutProxy },
      at: at(".egress[0].toFQDNs"),
      says: "names are learned from DNS answers, by the proxy",
    },
    { name: "neither direction", changes: policy({}), at: at(""), says: "give ingress or egress" },
    {
      name: "two kinds of peers in a rule",
      changes: policy({ egress: [{ toFQDNs, toEntities: ["world"] }] }),
      at: at(".egress[0]"),
      says: "one kind of peers",
    },
    {
      name: "a rule of nothing",
      changes: policy({ ingress: [{}] }),
      at: at(".ingress[0]"),
      says: "neither peers nor ports",
    },
    {
      name: "an empty list of peers",
      changes: policy({ ingress: [{ fromEndpoints: [] }] }),
      at: at(".ingress[0].fromEndpoints"),
      says: "allows nothing",
    },
    {
      name: "HTTP over UDP",
      changes: policy({
        ingress: [{ toPorts: [{ ports: [{ port: 80, protocol: "UDP" }], rules: { http } }] }],
      }),
      at: at(".ingress[0].toPorts[0].ports[0].protocol"),
      says: "write TCP",
    },
    {
      name: "HTTP and DNS on one port",
      changes: policy({ egress: [{ toPorts: [{ ports: [{ port: 53 }], rules: { http, dns } }] }] }),
      at: at(".egress[0].toPorts[0].rules"),
      says: "one L7 protocol",
    },
    {
      name: "rules of DNS for callers",
      changes: policy({ ingress: [{ toPorts: [{ ports: [{ port: 53 }], rules: { dns } }] }] }),
      at: at(".ingress[0].toPorts[0].rules.dns"),
      says: "write them under egress",
    },
    {
      name: "rules of DNS on another port",
      changes: policy({ egress: [{ toPorts: [{ ports, rules: { dns } }] }] }),
      at: at(".egress[0].toPorts[0].ports"),
      says: "need port 53",
    },
    {
      name: "a range that ends where it begins",
      changes: policy({ ingress: [{ toPorts: [{ ports: [{ port: 80, endPort: 80 }] }] }] }),
      at: at(".ingress[0].toPorts[0].ports[0].endPort"),
      says: "not above port 80",
    },
    {
      name: "a name and a pattern at once",
      changes: policy({ egress: [{ toFQDNs: [{ matchName: "a.no", matchPattern: "*.no" }] }] }),
      at: at(".egress[0].toFQDNs[0]"),
      says: "matchName or matchPattern",
    },
    {
      name: "one name twice in a namespace",
      changes: {
        "policies.networkPolicies": [1, 2].map(() => ({ name: "a", namespace: "x", ingress: [] })),
      },
      at: ["policies.networkPolicies[1].name"],
      says: "has a policy of that name",
    },
    {
      name: "the name of the default's",
      changes: {
        "policies.defaultDeny": ["finance"],
        ...policy({ name: "default-deny", egress: [] }),
      },
      at: at(".name"),
      says: "has a policy of that name",
    },
    {
      name: "a default deny where the cluster itself lives",
      changes: { "policies.defaultDeny": ["kube-system"] },
      at: ["policies.defaultDeny[0]"],
      says: "a namespace of the cluster itself",
    },
    {
      name: "a namespace denied twice",
      changes: { "policies.defaultDeny": ["a", "a"] },
      at: ["policies.defaultDeny[1]"],
      says: "named twice",
    },
    {
      name: "an entity of nobody's",
      changes: policy({ ingress: [{ fromEntities: ["gateway"] }] }),
      at: at(".ingress[0].fromEntities[0]"),
      says: "not an entity",
    },
    {
      name: "a route into a namespace that lets no gateway in",
      changes: { "policies.defaultDeny": ["production"] },
      at: ["gatewayApi.routes[0]"],
      says: "ingress.fromEntities: [ingress]",
    },
    {
      name: "own rules of DNS that leave a name out",
      changes: policy({ egress: [asking([{ matchPattern: "*.example.org" }]), { toFQDNs }] }),
      at: at(".egress[1].toFQDNs[0]"),
      says: "never learned",
    },
    {
      name: "own rules of DNS that leave the node's cache out",
      changes: { ...policy({ egress: [asking(dns)] }), "cilium.nodeLocalDns.enabled": true },
      at: at(".egress[0].toEndpoints"),
      says: "node-local-dns",
    },
    ...[
      { policies: { defaultDeny: ["finance"] } },
      { "cilium.nodeLocalDns.enabled": true },
      {
        "cilium.l2announcements.enabled": true,
        "cilium.loadBalancerIPPools": [{ name: "a", blocks: [{ cidr: "10.10.0.192/27" }] }],
      },
    ].map((changes) => ({
      name: `${Object.keys(changes)[0]} where nobody waits for Cilium`,
      changes: { ...changes, "cilium.waitFor": "nothing" },
      at: ["cilium.waitFor"],
      says: "write agents or all",
    })),
  ]);
  takes([
    { name: "nobody at all", changes: policy({ ingress: [], egress: [] }) },
    { name: "ports of anybody", changes: policy({ ingress: [{ toPorts: [{ ports }] }] }) },
    { name: "names", changes: policy({ egress: [{ toFQDNs, toPorts: [{ ports }] }] }) },
    {
      name: "own rules of DNS for its names and the node's cache",
      changes: {
        ...policy({
          egress: [asking([{ matchPattern: "*.example.no" }], "node-local-dns"), { toFQDNs }],
        }),
        "cilium.nodeLocalDns.enabled": true,
      },
    },
    {
      name: "own rules of DNS beside the default's",
      changes: {
        "policies.defaultDeny": ["finance"],
        ...policy({ egress: [asking([{ matchName: "a.no" }]), { toFQDNs }] }),
      },
    },
    {
      name: "L4 without the proxy",
      changes: { ...policy({ ingress: [{ toPorts: [{ ports }] }] }), ...withoutProxy },
    },
    {
      name: "a route into a namespace that lets the gateway in",
      changes: {
        "policies.defaultDeny": ["production"],
        ...policy({ namespace: "production", ingress: [{ fromEntities: ["ingress"] }] }),
      },
    },
  ]);
});
