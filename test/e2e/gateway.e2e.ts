import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allGateways } from "../../config/gateways.ts";
import { makeEnvoy } from "../lab/artifacts/envoy.ts";
import { configOf, planOf } from "../stacks.ts";
import { type ApiServer, startApiServer } from "./api-server.ts";
import { ciliumCrds, establish } from "./cilium-crds.ts";
import { type Backends, startBackends } from "./gateway/backends.ts";
import { mutations } from "./gateway/mutations.ts";
import { changed, servicesOf, surroundings } from "./gateway/objects.ts";
import { type Operator, startOperator, type Written, written } from "./gateway/operator.ts";
import { redRows } from "./gateway/red-rows.ts";
import { rows } from "./gateway/rows.ts";

const minutes = 60_000;
let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer();
  await establish(server, [...planOf("services").gatewayApi.crds, ...(await ciliumCrds())]);
}, 80 * minutes);

afterAll(() => server?.stop(), 2 * minutes);

/**
 * Upstream's Envoy on the configuration that Cilium's operator makes of a stack's gateways and routes:
 * neither Cilium's own Envoy nor its datapath.
 */
describe.each(["articles", "services"] as const)("gateways of %s, in upstream's Envoy", (stack) => {
  const config = configOf(stack);
  const { objects } = planOf(stack).gatewayApi;
  const gateways = allGateways(config.gatewayApi).map(({ namespace, name, listeners }) => ({
    gateway: `${namespace}/${name}`,
    ports: [...new Set(listeners.map(({ port }) => port))],
  }));
  let operator: Operator;
  let backends: Backends;
  let found: Written[] = [];
  let red: Record<string, string> = {};

  beforeAll(async () => {
    backends = await startBackends(servicesOf(config));
    operator = await startOperator(server, config);
    await server.kubectl(["apply"], [...(await surroundings(config, objects)), ...objects]);
    red = await settled([]);
  }, 80 * minutes);

  afterAll(async () => {
    backends?.stop();
    await operator?.stop();
  }, 2 * minutes);

  it.each(rows[stack])("$what", ({ what }) => {
    expect(red[what]).toBeUndefined();
  });

  it("listen on the ports that are written", () => {
    expect(found.map(({ gateway, ports }) => ({ gateway, ports }))).toEqual(gateways);
  });

  it("are in an Envoy of the minor version that Cilium's own is of", async () => {
    const { stdout } = await execa(await makeEnvoy(), ["--version"]);
    const [, minor] = /\/(\d+\.\d+)\.\d+\//.exec(stdout) ?? [];
    expect(operator.envoyImage).toMatch(`/cilium-envoy:v${minor}.`);
  });

  it("are red where an object is other than written, and nowhere else", async () => {
    const { altered, removed } = changed(objects, mutations[stack]);
    await server.kubectl(["apply"], altered);
    for (const { kind, namespace, name } of removed) {
      await server.kubectl(["delete", "--namespace", namespace, kind, name]);
    }
    const expected = mutations[stack].flatMap(({ red }) => red);
    const seen = await settled(expected);
    for (const [what, why] of Object.entries(seen)) console.log(`  ${what}: ${why}`);
    expect(Object.keys(seen).sort()).toEqual([...expected].sort());
  });

  /** The rows that are red, once they are the expected ones, else after a quarter of an hour. */
  async function settled(expected: readonly string[]): Promise<Record<string, string>> {
    const deadline = performance.now() + 15 * minutes;
    const wanted = [...expected].sort().join();
    for (;;) {
      const all = await written(server);
      found = gateways.flatMap(({ gateway }) => all.gateways.filter((g) => g.gateway === gateway));
      const now = await redRows({ ...all, gateways: found }, rows[stack], backends, expected);
      if (Object.keys(now).sort().join() === wanted || performance.now() > deadline) return now;
      await delay(500);
    }
  }
});
