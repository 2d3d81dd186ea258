import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { planFiles } from "../../plan/files.ts";
import { plan } from "../../plan/plan.ts";
import { stack } from "../stack.ts";
import { planOf } from "../stacks.ts";

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

  it("puts the routes of the articles onto the gateway of another namespace", () => {
    const { objects, namespaces } = planOf("dev").gatewayApi;
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
    const route = planOf("dev").gatewayApi.objects.find(
      ({ metadata }) => metadata.name === "payment-processor",
    );
    expect(JSON.stringify(route)).toContain('"set":[{"name":"X-Region","value":"NO-OSL-1"}]');
  });

  it("leaves nothing behind when it is off", () => {
    const off = planned({ "gatewayApi.enabled": false });
    expect(off.gatewayApi).toEqual({ crds: [], namespaces: [], objects: [] });
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
  const objects = both.gatewayApi.crds.length + both.gatewayApi.namespaces.length;
  const files = [...planFiles(both).keys()].filter((path) => path.includes("gateway-api/"));
  expect(files).toHaveLength(objects + both.gatewayApi.objects.length);
});
