interface Rule {
  matches: { method?: string; path: { type: string; value: string } }[];
  filters?: { type: string; requestRedirect?: { scheme: string; statusCode: number } }[];
  backendRefs: { name: string; weight: number }[];
}

/** As much of a Gateway's or a HTTPRoute's spec as is changed here. */
interface Spec {
  hostnames: string[];
  rules: Rule[];
  listeners: { name: string; tls?: { certificateRefs: object[] } }[];
}

/** A change of what the API server has, and the rows that are no longer true by it. */
export interface Mutation {
  kind: string;
  namespace: string;
  name: string;
  /** Absent where the object is taken away. */
  change?: (spec: Spec) => void;
  red: readonly string[];
}

const route = (namespace: string, name: string) => ({ kind: "HTTPRoute", namespace, name });

const articles: Mutation[] = [
  {
    ...route("production", "store-route"),
    change: ({ rules: [rule] }) => {
      for (const { path } of rule?.matches ?? []) path.type = "Exact";
    },
    red: ["checkout: a path below"],
  },
  {
    ...route("production", "store-traffic-split"),
    change: (spec) => {
      spec.hostnames = [];
    },
    red: ["cart: another host"],
  },
  // A route without its backend.
  { kind: "Service", namespace: "default", name: "my-app-v2", red: ["app: 90/10, no region"] },
  {
    ...route("finance", "payment-processor"),
    change: ({ rules: [rule] }) => {
      for (const backend of rule?.backendRefs ?? []) {
        backend.weight = backend.name.endsWith("canary") ? 10 : 90;
      }
      delete rule?.filters;
    },
    red: ["payment: 95/5", "payment: the region in the place of the client's"],
  },
];

const services: Mutation[] = [
  {
    ...route("infra", "to-https"),
    change: ({ rules: [rule] }) => {
      for (const { requestRedirect } of rule?.filters ?? []) {
        if (requestRedirect) requestRedirect.statusCode = 302;
      }
    },
    red: ["HTTP: to HTTPS", "HTTP: to HTTPS, whatever the client says of itself"],
  },
  {
    ...route("production", "shop"),
    change: (spec) => {
      spec.hostnames.push("other.example.no");
      const [cart, front] = spec.rules;
      for (const match of cart?.matches ?? []) delete match.method;
      delete front?.filters;
    },
    red: [
      "cart: another method",
      "items: a path below",
      "items: a header with another value",
      "front: a name below, the region, headers untouched",
      "a host without a route",
    ],
  },
  // What lets the shop's route lead to another namespace.
  {
    ...{ kind: "ReferenceGrant", namespace: "canary", name: "httproutes-of-production" },
    red: [
      "cart: 90/10 across namespaces, headers set, added, removed",
      "items: exact path and headers",
    ],
  },
  {
    ...{ kind: "Gateway", namespace: "infra", name: "edge" },
    change: ({ listeners }) => {
      const admin = listeners.find(({ name }) => name === "admin");
      if (admin?.tls) admin.tls.certificateRefs = [{ name: "wildcard", namespace: "certificates" }];
    },
    red: ["admin: its own certificate"],
  },
];

export const mutations = { articles, services };
