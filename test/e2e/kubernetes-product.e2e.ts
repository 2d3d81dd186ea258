import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withMode } from "../../plan/cilium.ts";
import { makePulumi } from "../lab/artifacts/pulumi.ts";
import { planOf } from "../stacks.ts";
import { type ApiServer, startApiServer } from "./api-server.ts";
import { ciliumCrds, establish } from "./cilium-crds.ts";
import { pluginsOf } from "./engine/plugins.ts";
import { failureOf, Sandbox } from "./engine/sandbox.ts";
import { realTools } from "./tools.ts";

// What the product puts into a cluster, through its own components, at a real API server: by the lab's plugin,
// and by upstream's where it is on PATH. No node is there, and Cilium's operator has made its kinds.

const minutes = 60_000;
let cli: string;
let tools: Awaited<ReturnType<typeof realTools>>;
let charts: Server;

beforeAll(async () => {
  cli = await makePulumi();
  tools = await realTools();
  charts = createServer((request, response) => {
    try {
      response.end(readFileSync(join(dirname(tools.chart), request.url ?? "")));
    } catch {
      response.writeHead(404).end();
    }
  }).listen(0, "127.0.0.1");
}, 80 * minutes);

afterAll(() => void charts?.close());

const cases = pluginsOf("kubernetes").flatMap((plugins) =>
  (["articles", "services"] as const).map((stack) => ({ ...plugins, stack })),
);

describe.each(cases)("$whose, stack $stack", { timeout: 30 * minutes }, ({ path, stack }) => {
  const { cilium, gatewayApi, ciliumObjects } = planOf(stack);
  let server: ApiServer;
  let box: Sandbox;
  const newBox = () => {
    const PATH = `${dirname(tools.helm)}:${server.programs}:${path}`;
    return new Sandbox(cli, path, { PATH }, "product");
  };
  const config = () => ({
    "demo:stack": stack,
    "demo:kubeconfig": readFileSync(server.kubeconfig, "utf8"),
    "demo:charts": `http://127.0.0.1:${(charts.address() as AddressInfo).port}`,
  });

  beforeAll(async () => {
    server = await startApiServer([
      ...["garbage-collector-controller", "daemonset-controller", "endpoints-controller"],
      "serviceaccount-controller",
    ]);
    await establish(server, await ciliumCrds());
    box = newBox();
  }, 30 * minutes);

  afterAll(async () => {
    box?.remove();
    await server?.stop();
  }, 2 * minutes);

  test("is there after one run, and the same in the next", async () => {
    await box.up([], config());
    const objects = [...gatewayApi.crds, ...gatewayApi.objects, ...ciliumObjects.objects];
    const found = await server.kubectl(["get", "--output", "name"], objects);
    expect(found.split("\n")).toHaveLength(objects.length);
    expect(await box.preview([], config())).toEqual([]);
    expect(await box.up([], config())).toMatchObject({ create: 0, update: 0, replace: 0 });
  });

  test("Helm gets the plan's values as they are written", async () => {
    const args = ["get", "values", "cilium", "--namespace", cilium.namespace, "--output", "json"];
    const env = { KUBECONFIG: server.kubeconfig };
    const { stdout } = await execa(tools.helm, args, { env });
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(withMode(cilium.values, "dsr"))));
  });

  test("of a state that is lost, all is taken up but Helm's release, which is named", async () => {
    const before = await uids(server);
    const fresh = newBox();
    const said = await failureOf(fresh.up([], config()));
    expect(said).toContain("cannot re-use a name that is still in use");
    await server.kubectl([
      "delete",
      "secret",
      "--namespace",
      cilium.namespace,
      "--selector=owner=helm",
    ]);
    await fresh.up([], config());
    expect(await uids(server)).toEqual(before);
    expect(await fresh.preview([], config())).toEqual([]);
    fresh.remove();
  });
});

/** Of the CRDs and the gateways, which are taken up and not made again. */
async function uids(server: ApiServer): Promise<string> {
  const kinds = "crd,gateways.gateway.networking.k8s.io,httproutes.gateway.networking.k8s.io";
  const path = "jsonpath={range .items[*]}{.metadata.name} {.metadata.uid}{'\\n'}{end}";
  return server.kubectl(["get", kinds, "--all-namespaces", "--output", path]);
}
