import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { build } from "../lab/artifacts/build.ts";
import { findGo } from "../lab/artifacts/go.ts";
import { makePulumi } from "../lab/artifacts/pulumi.ts";
import { recipes } from "../lab/artifacts/recipes.ts";
import { Progress } from "../lab/progress.ts";
import { waitFor } from "../lab/shell.ts";
import { type ApiServer, startApiServer } from "./api-server.ts";
import type { Tenant } from "./engine/cluster.ts";
import { daemonSet } from "./engine/manifests.ts";
import { pluginsOf } from "./engine/plugins.ts";
import { failureOf } from "./engine/sandbox.ts";
import { tenants } from "./engine/tenants.ts";

// Rollouts and releases by Pulumi's provider of Kubernetes, at a real API server: what is waited for, and
// what is in the state of one that fails. By the lab's plugin, and by upstream's where it is on PATH.

const minutes = 60_000;
let cli: string;
let helm: string;
let server: ApiServer;

beforeAll(async () => {
  cli = await makePulumi();
  helm = (await build(await findGo(), recipes.helm, new Progress())).directory;
  server = await startApiServer([
    ...["garbage-collector-controller", "daemonset-controller", "serviceaccount-controller"],
  ]);
}, 80 * minutes);

afterAll(() => server?.stop(), 2 * minutes);

describe.each(pluginsOf("kubernetes"))("$whose", { timeout: 30 * minutes }, ({ path }) => {
  const { test } = tenants(path, () => ({ cli, server, programs: [helm] }));

  test("a rollout is waited for; one that is not done in its time is kept, and the next run waits for it", async ({
    tenant,
    onTestFinished,
  }) => {
    const cache = (version: number, metadata = {}) =>
      daemonSet(tenant, { image: `cache:${version}`, ...metadata });
    const name = `node-${tenant.namespace}`;
    await server.kubectl(["create"], [{ apiVersion: "v1", kind: "Node", metadata: { name } }]);
    onTestFinished(async () => void (await server.kubectl(["delete", "node", name])));
    const made = following(tenant.up([cache(1)]));
    await ready(tenant, await podOf(tenant, "cache:1"), made);
    await made.end;

    const changed = following(tenant.up([cache(2)]));
    await ready(tenant, await podOf(tenant, "cache:2"), changed);
    await changed.end;

    const hasty = { annotations: { "pulumi.com/timeoutSeconds": "2" } };
    expect(await failureOf(tenant.up([cache(3, hasty)]))).toMatch(/time/);
    expect(await tenant.preview([cache(3)])).toEqual(["update cache"]);
    const again = following(tenant.up([cache(3)]));
    await ready(tenant, await podOf(tenant, "cache:3"), again);
    expect(await again.end).toMatchObject({ update: 1 });
    expect(await tenant.preview([cache(3)])).toEqual([]);
  });

  test("a release that failed is kept, and the next run upgrades it", async ({ tenant }) => {
    const { box, namespace } = tenant;
    mkdirSync(box.file("chart/templates"), { recursive: true });
    box.write(
      "chart/Chart.yaml",
      JSON.stringify({ apiVersion: "v2", name: "one", version: "1.0.0" }),
    );
    const object = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "{{ .Values.name }}" },
    };
    box.write("chart/templates/object.yaml", JSON.stringify(object));
    const release = (name: string, chart = "chart") => ({
      release: { name: "one", namespace, chart: box.file(chart), values: { name }, timeout: 300 },
    });
    const up = (name: string) => tenant.up([], release(name));
    const preview = (name: string) => tenant.preview([], release(name));

    expect(await failureOf(tenant.up([], release("a", "none")))).toMatch(/none/);
    expect(await box.names()).not.toContain("one");

    expect(await failureOf(up("UPPER"))).toMatch(/RFC 1123/);
    expect(await box.names()).toContain("one");
    expect(await preview("UPPER")).toEqual(["update one"]);
    expect(await up("lower")).toMatchObject({ update: 1 });
    expect(await tenant.isThere("configmap", "lower")).toBe(true);
    expect(await preview("lower")).toEqual([]);

    // Of an upgrade that failed, the state has what was wanted.
    expect(await failureOf(up("UPPER"))).toMatch(/RFC 1123/);
    expect(await preview("UPPER")).toEqual(["update one"]);
    await box.destroy();
    const records = ["get", "secrets", "--namespace", namespace, "--selector=owner=helm"];
    expect(await server.kubectl([...records, "--output=name"])).toBe("");
  });
});

/** An operation, and whether it has ended. */
function following<Result>(operation: Promise<Result>) {
  const followed = {
    isDone: false,
    end: operation.finally(() => {
      followed.isDone = true;
    }),
  };
  return followed;
}

/** The pod of an image, once it is there, as kubectl names it. */
function podOf({ namespace }: Tenant, image: string): Promise<string> {
  const path = "{range .items[*]}{.metadata.name} {.spec.containers[0].image}{'\\n'}{end}";
  const get = ["get", "pods", "--namespace", namespace, "--output", `jsonpath=${path}`];
  return waitFor(`the pod of ${image}`, 120, async () => {
    const lines = (await server.kubectl(get)).split("\n").map((line) => line.split(" "));
    return lines.find(([, its]) => its === image)?.[0];
  });
}

/** What no kubelet is there to say, of a rollout that has waited for it. */
async function ready(
  { namespace }: Tenant,
  pod: string,
  rollout: { isDone: boolean },
): Promise<void> {
  expect(rollout.isDone).toBe(false);
  const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
  const patch = ["patch", "pod", pod, "--namespace", namespace, "--subresource=status"];
  await server.kubectl([...patch, "--patch", JSON.stringify({ status })]);
}
