import type { Asked } from "./ask.ts";

/** A request, and what the stack's file says becomes of it. */
export interface Row {
  what: string;
  /** namespace/name */
  gateway: string;
  asked: Asked;
  /** @default 200 with backends, else 404 */
  status?: number;
  /** Percent of the requests that each gets. @default none */
  backends?: Readonly<Record<string, number>>;
  /** One request, which any of the backends may answer. @default false: shares are counted */
  once?: boolean;
  /** Values of the request's headers as the backend sees them; none is an empty list. */
  seen?: Readonly<Record<string, readonly string[]>>;
  /** Values of the answer's headers; undefined where it has none. */
  answered?: Readonly<Record<string, string | undefined>>;
  /** Name of the Secret whose certificate the gateway shows. @default none: no TLS */
  certificate?: string;
}

const external = { gateway: "default/external-gateway" };
const at = (path: string, host = "any.example.org") => ({ host, path });
const split = (namespace: string, first: string, second: string, percent: number) => ({
  [`${namespace}/${first}`]: 100 - percent,
  [`${namespace}/${second}`]: percent,
});
const checkout = split("production", "checkout-v1:8080", "checkout-v2:8080", 10);
const payment = split("finance", "payment-service-v2:8080", "payment-service-canary:8080", 5);

/** examples/Pulumi.articles.yaml: routes in the short form, on the nodes' own port 80. */
const articles: Row[] = [
  { what: "checkout: 90/10", ...external, asked: at("/checkout"), backends: checkout },
  {
    ...{ what: "checkout: a path below", ...external, once: true },
    ...{ asked: at("/checkout/a?b=c"), backends: checkout },
  },
  { what: "checkout: another word", ...external, asked: at("/checkouts") },
  { what: "no route", ...external, asked: at("/") },
  {
    ...{ what: "cart: 90/10", ...external, asked: at("/cart", "shop.example.no") },
    backends: split("production", "cart-service-v1:80", "cart-service-v2:80", 10),
  },
  { what: "cart: another host", ...external, asked: at("/cart", "other.example.no") },
  {
    ...{ what: "app: 90/10, no region", ...external, asked: at("/api/v1") },
    backends: split("default", "my-app-v1:8080", "my-app-v2:8080", 10),
    seen: { "X-Region": [] },
  },
  { what: "payment: 95/5", ...external, asked: at("/api/v2"), backends: payment },
  {
    ...{ what: "payment: the region in the place of the client's", ...external, once: true },
    asked: { ...at("/api/v2/charge"), method: "POST", headers: { "X-Region": "forged" } },
    ...{ backends: payment, seen: { "X-Region": ["NO-OSL-1"] } },
  },
];

const edge = { gateway: "infra/edge" };
const shop = (path: string, more: Partial<Asked> = {}) => ({
  asked: { host: "shop.example.no", path, tls: true, ...more },
  certificate: "wildcard",
});
const beta = { "X-Beta": "1", "Accept-Language": "nb" };
const cart = { "production/cart-v1:8080": 90, "canary/cart-v2:8080": 10 };
const front = { "production/front:80": 100 };
const clients = { "X-Tenant": "forged", "X-Trace": "own", "X-Debug": "1", "X-Region": "forged" };

/** examples/Pulumi.services.yaml: gateways with listeners of their own, TLS, rules. */
const services: Row[] = [
  {
    ...{ what: "HTTP: to HTTPS", ...edge, asked: at("/cart?a=b", "shop.example.no") },
    ...{ status: 301, answered: { Location: "https://shop.example.no/cart?a=b" } },
  },
  {
    ...{ what: "HTTP: to HTTPS, whatever the client says of itself", ...edge },
    asked: { ...at("/", "shop.example.no"), headers: { "X-Forwarded-Proto": "https" } },
    ...{ status: 301, answered: { Location: "https://shop.example.no/" } },
  },
  {
    ...{ what: "cart: 90/10 across namespaces, headers set, added, removed", ...edge },
    ...shop("/cart", { headers: clients }),
    backends: cart,
    seen: {
      ...{ "X-Tenant": ["shop"], "X-Trace": ["own", "on"], "X-Debug": [] },
      "X-Region": ["NO-OSL-3"],
    },
    answered: { "Strict-Transport-Security": "max-age=31536000", "X-Powered-By": undefined },
  },
  { what: "cart: another method", ...edge, ...shop("/cart", { method: "POST" }), backends: front },
  {
    ...{ what: "items: exact path and headers", ...edge },
    ...shop("/cart/items", { method: "POST", headers: beta }),
    backends: cart,
  },
  {
    ...{ what: "items: a path below", ...edge },
    ...shop("/cart/items/7", { method: "POST", headers: beta }),
    backends: front,
  },
  {
    ...{ what: "items: a header with another value", ...edge },
    ...shop("/cart/items", { method: "POST", headers: { ...beta, "X-Beta": "2" } }),
    backends: front,
  },
  {
    ...{ what: "front: a name below, the region, headers untouched", ...edge },
    ...shop("/", { host: "no.shop.example.no", headers: clients }),
    backends: front,
    seen: { "X-Region": ["NO-OSL-3"], "X-Tenant": ["forged"], "X-Debug": ["1"] },
    answered: { "Strict-Transport-Security": "max-age=1", "X-Powered-By": "backend" },
  },
  { what: "a host without a route", ...edge, ...shop("/", { host: "other.example.no" }) },
  {
    ...{ what: "admin: its own certificate", ...edge },
    asked: { ...at("/", "admin.example.com"), tls: true },
    ...{ certificate: "admin", backends: { "infra/admin:8443": 100 } },
  },
  {
    ...{ what: "internal: the shop by HTTP", gateway: "infra/internal" },
    ...{ asked: at("/", "shop.example.no"), backends: front },
  },
  {
    ...{ what: "internal: no other host", gateway: "infra/internal" },
    asked: at("/", "admin.example.com"),
  },
];

export const rows = { articles, services };
