import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../../config/load.ts";
import { planFiles } from "../../plan/files.ts";
import { plan } from "../../plan/plan.ts";
import { validator } from "../crd.ts";
import { root } from "../root.ts";
import { stack } from "../stack.ts";
import { planOf, stackNames } from "../stacks.ts";

const planned = (changes: Record<string, unknown> = {}) => plan(loadConfig(stack(changes), "test"));

describe("the Gateway API", () => {
  it("brings the CRDs that Cilium's operator asks for, of one release", () => {
    const { crds } = planned().gatewayApi;
    expect(crds.map(({ metadata }) => metadata.name.split(".")[0])).toEqual(
      expect.arrayContaining([
        "gatewayclasses",
        "gateways",
        "grpcroutes",
        "httproutes",
        "referencegrants",
        "tlsroutes",
      ]),
    );
    for (const { kind, metadata } of crds) {
      const annotations = metadata.annotations as Record<string, string>;
      expect(kind).toBe("CustomResourceDefinition");
      expect(annotations["gateway.networking.k8s.io/bundle-version"]).toBe("v1.6.1");
      expect(annotations["gateway.networking.k8s.io/channel"]).toBe("standard");
    }
  });

  it("has upstream's CRDs but for their texts, each field of them", () => {
    const folder = join(root, "plan/gateway-api/crds/v1.6.1");
    const upstream = readdirSync(folder)
      .sort()
      .map((file) => parse(readFileSync(join(folder, file), "utf8")));
    const { crds } = planned().gatewayApi;
    const leaves = (value: unknown, path: string): string[] =>
      typeof value === "object" && value !== null
        ? Object.entries(value).flatMap(([key, child]) => leaves(child, `${path}/${key}`))
        : [`${path}=${value}`];
    // A schema's text is a leaf of that name; a field of that name would have a type below it.
    const isText = (leaf: string) => /\/description=/.test(leaf);
    for (const [i, crd] of crds.entries()) {
      const whole = leaves(upstream[i], "");
      expect(leaves(crd, "")).toEqual(whole.filter((leaf) => !isText(leaf)));
      expect(whole.some(isText)).toBe(true);
    }
    expect(JSON.stringify(crds).length).toBeLessThan(JSON.stringify(upstream).length / 3);
  });

  it("puts the routes of the articles onto the gateway of another namespace", () => {
    const { namespaces, gatewayApi } = planOf("articles");
    const { objects } = gatewayApi;
    const routes = objects.filter(({ kind }) => kind === "HTTPRoute");
    expect(routes).toHaveLength(4);
    for (const { spec } of routes) {
      expect((spec as { parentRefs: unknown }).parentRefs).toEqual([
        { name: "external-gateway", namespace: "default" },
      ]);
    }
    expect(namespaces.map(({ metadata }) => metadata.name)).toEqual(["finance", "production"]);
  });

  it("sets the region's header, so that a client brings none of its own", () => {
    const route = planOf("articles").gatewayApi.objects.find(
      ({ metadata }) => metadata.name === "payment-processor",
    );
    expect(JSON.stringify(route)).toContain('"set":[{"name":"X-Region","value":"NO-OSL-1"}]');
  });

  it("leaves nothing behind when it is off", () => {
    const off = planned({ "gatewayApi.enabled": false, "gatewayApi.routes": [] });
    expect(off.gatewayApi).toEqual({ crds: [], objects: [] });
    expect(off.namespaces).toEqual([]);
    expect(off.cilium.values.gatewayAPI).toEqual({ enabled: false });
  });
});

it("objects whose names run together get files of their own", () => {
  const route = (namespace: string, name: string) => ({
    ...{ namespace, name },
    backends: [{ name: "v1", port: 80 }],
  });
  const routes = [route("a-b", "c"), route("a", "b-c")];
  const both = planned({ "gatewayApi.routes": routes });
  const { crds, objects } = both.gatewayApi;
  const files = [...planFiles(both).keys()].filter((path) => path.includes("gateway-api/"));
  expect(files).toHaveLength(crds.length + objects.length);
});

describe("the CRDs themselves", () => {
  const problems = validator(planOf("services").gatewayApi.crds);

  it.each(stackNames)("take every object of %s", (name) => {
    const { objects } = planOf(name).gatewayApi;
    expect(objects.flatMap((object) => problems(object))).toEqual([]);
  });

  it("refuse what they do not know", () => {
    const [route] = planned().gatewayApi.objects.filter(({ kind }) => kind === "HTTPRoute");
    const changed = { ...route, spec: { ...(route?.spec as object), pathPrefix: "/" } };
    expect(problems(changed as never)).not.toEqual([]);
  });
});

describe("references across namespaces", () => {
  const grants = (changes: Record<string, unknown>) =>
    planned(changes).gatewayApi.objects.filter(({ kind }) => kind === "ReferenceGrant");
  const backend = (name: string, namespace?: string) => ({ name, namespace, port: 80, weight: 50 });
  const routes = (...backends: unknown[]) => ({
    "gatewayApi.routes": [{ name: "a", namespace: "shop", backends }],
  });

  it("are granted where the backend is, for the services that are named", () => {
    const [grant, ...others] = grants(routes(backend("x", "canary"), backend("y", "canary")));
    expect(others).toEqual([]);
    expect(grant).toEqual({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "ReferenceGrant",
      metadata: { name: "httproutes-of-shop", namespace: "canary" },
      spec: {
        from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "shop" }],
        to: [
          { group: "", kind: "Service", name: "x" },
          { group: "", kind: "Service", name: "y" },
        ],
      },
    });
  });

  it("are granted to certificates", () => {
    const https = (name: string, certificate: object) => ({
      ...{ name, protocol: "HTTPS", port: 443, hostname: `${name}.example.no` },
      certificateRefs: [certificate],
    });
    const listeners = [
      https("a", { name: "tls", namespace: "certificates" }),
      https("b", { name: "own" }),
    ];
    const [grant, ...others] = grants({
      "gatewayApi.gateways": [{ name: "edge", namespace: "infra", listeners }],
    });
    expect(others).toEqual([]);
    expect(grant?.metadata).toEqual({ name: "gateways-of-infra", namespace: "certificates" });
    expect(grant?.spec).toMatchObject({ to: [{ group: "", kind: "Secret", name: "tls" }] });
  });

  it("need no grant within a namespace", () => {
    expect(grants(routes(backend("x", "shop"), backend("y")))).toEqual([]);
  });

  it("have their namespaces made", () => {
    const { namespaces } = planned(routes(backend("x", "canary"), backend("y", "kube-system")));
    expect(namespaces.map(({ metadata }) => metadata.name)).toEqual(["canary", "shop"]);
  });
});

it("headers are in the order of their names, whatever the file's", () => {
  const rendered = (set: Record<string, string>) =>
    planned({
      "gatewayApi.routes": [
        {
          ...{ name: "a", namespace: "shop" },
          rules: [{ requestHeaders: { set }, backends: [{ name: "x", port: 80 }] }],
        },
      ],
    }).gatewayApi.objects;
  expect(JSON.stringify(rendered({ b: "1", a: "2" }))).toBe(
    JSON.stringify(rendered({ a: "2", b: "1" })),
  );
});
