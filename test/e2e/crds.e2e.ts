import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { crdsOf } from "../../plan/cilium-objects/objects.ts";
import type { Manifest } from "../../plan/manifest.ts";
import { planOf } from "../stacks.ts";
import { type ApiServer, startApiServer } from "./api-server.ts";
import { ciliumCrds, establish } from "./cilium-crds.ts";

const minutes = 60_000;
/** The stacks that put objects into the cluster; the others have none but a gateway. */
const stacks = ["articles", "services", "libvirt"] as const;
let server: ApiServer;
let ciliums: Manifest[];

beforeAll(async () => {
  [server, ciliums] = await Promise.all([startApiServer(), ciliumCrds()]);
  await establish(server, [...planOf("services").gatewayApi.crds, ...ciliums]);
}, 80 * minutes);

afterAll(() => server?.stop(), 2 * minutes);

const create = (...objects: Manifest[]) =>
  server.kubectl(["create", "--dry-run=server", "--validate=strict"], objects);

describe.each(stacks)("a real API server with the real CRDs, and the objects of %s", (stack) => {
  const { namespaces, gatewayApi, ciliumObjects } = planOf(stack);
  const objects = [...gatewayApi.objects, ...ciliumObjects.workload, ...ciliumObjects.objects];

  beforeAll(async () => {
    if (namespaces.length > 0) await server.kubectl(["apply"], namespaces);
  });

  it("knows Cilium's kinds by the names that are waited for", () => {
    const names = ciliums.map(({ metadata }) => metadata.name);
    expect(names).toEqual(expect.arrayContaining(crdsOf(ciliumObjects.objects)));
  });

  it.each(objects.map((one) => [`${one.kind} ${one.metadata.name}`, one] as const))(
    "takes %s",
    async (_, object) => {
      expect(await create(object)).toMatch(/ created \(server dry run\)$/);
    },
  );
});

describe("a real API server with the real CRDs refuses", () => {
  const find = (kind: string) => {
    const { gatewayApi, ciliumObjects } = planOf("services");
    const all = [...gatewayApi.objects, ...ciliumObjects.objects];
    return structuredClone(all.find((one) => one.kind === kind)) as Manifest & { spec: object };
  };
  it.each([
    ["a field that does not exist", "CiliumNetworkPolicy", { ingres: [] }, "ingres"],
    [
      "a port that is a number",
      "CiliumNetworkPolicy",
      { ingress: [{ toPorts: [{ ports: [{ port: 80 }] }] }] },
      "must be of type string",
    ],
    [
      "an unknown choice",
      "CiliumLoadBalancerIPPool",
      { allowFirstLastIPs: true },
      "allowFirstLastIPs",
    ],
    [
      "an AS number that is none",
      "CiliumBGPClusterConfig",
      { bgpInstances: [{ name: "a", localASN: 0 }] },
      "localASN",
    ],
    [
      "a hold time that is too short",
      "CiliumBGPPeerConfig",
      { timers: { holdTimeSeconds: 1 } },
      "holdTimeSeconds",
    ],
    // A rule in CEL, which is beside the schema.
    [
      "a path that no request has",
      "HTTPRoute",
      { rules: [{ matches: [{ path: { type: "PathPrefix", value: "/a//b" } }] }] },
      "must not contain '//'",
    ],
  ])("%s", async (_, kind, change, says) => {
    const object = find(kind);
    expect(await create(object)).toContain("created");
    Object.assign(object.spec, change);
    await expect(create(object)).rejects.toThrow(says);
  });
});
