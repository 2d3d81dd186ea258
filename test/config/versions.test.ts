import { describe, expect, it } from "vitest";
import { resolve } from "../../config/config.ts";
import { compatibility, knownVersions } from "../../config/rules/versions.ts";
import { schema } from "../../config/schema.ts";
import { stack } from "../stack.ts";
import { refuses, takes } from "./refuses.ts";

describe("versions", () => {
  refuses([
    {
      name: "a Cilium that is not in the table",
      changes: { "cilium.version": "1.19.5" },
      says: "write a version of 1.20",
    },
    {
      name: "a Kubernetes that Cilium is not tested with",
      changes: { "kubernetes.version": "1.37.0" },
      says: "Cilium 1.20 is not tested with Kubernetes 1.37",
    },
    {
      name: "one that is too old",
      changes: { "kubernetes.version": "1.32.9" },
      says: "write a version of 1.33",
    },
  ]);
  takes([{ name: "another patch", changes: { "cilium.version": "1.20.0" } }]);

  it("know the CRDs that Cilium asks for", () => {
    const config = resolve(schema.parse(stack()));
    const other = { ...config.gatewayApi, version: "1.5.0" as "1.6.1" };
    expect([...knownVersions({ ...config, gatewayApi: other })]).toEqual([
      expect.objectContaining({ path: "gatewayApi.version", fix: "write 1.6.1" }),
    ]);
  });

  it("are defaults that the table holds", () => {
    const { kubernetes, gatewayApi, cilium } = resolve(schema.parse(stack()));
    const row = compatibility[cilium.version.split(".").slice(0, 2).join(".")];
    expect(row?.kubernetes).toContain(kubernetes.minor);
    expect(row?.gatewayApi).toBe(gatewayApi.version);
  });
});
