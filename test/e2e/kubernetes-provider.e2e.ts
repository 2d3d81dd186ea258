import { afterAll, beforeAll, describe, expect } from "vitest";
import { makePulumi } from "../lab/artifacts/pulumi.ts";
import { waitFor } from "../lab/shell.ts";
import { type ApiServer, startApiServer } from "./api-server.ts";
import { establish } from "./cilium-crds.ts";
import { daemonSet, definition } from "./engine/manifests.ts";
import { pluginsOf } from "./engine/plugins.ts";
import { failureOf } from "./engine/sandbox.ts";
import { tenants } from "./engine/tenants.ts";
import { freePorts } from "./ports.ts";

// What the program relies on of Pulumi's provider of Kubernetes, at a real API server: by the lab's plugin,
// and by upstream's where it is on PATH.

const minutes = 60_000;
let cli: string;
let server: ApiServer;

beforeAll(async () => {
  cli = await makePulumi();
  server = await startApiServer([
    ...["garbage-collector-controller", "namespace-controller", "serviceaccount-controller"],
    ...["daemonset-controller", "endpoints-controller"],
  ]);
  await establish(server, [definition("Thing", "Namespaced"), definition("Whole", "Cluster")]);
}, 80 * minutes);

afterAll(() => server?.stop(), 2 * minutes);

describe.each(pluginsOf("kubernetes"))("$whose", { timeout: 30 * minutes }, ({ path }) => {
  const { test, tenantIn } = tenants(path, () => ({ cli, server }));

  test("an object and its kind are made in one run, and are the same in the next", async ({
    tenant,
  }) => {
    const other = {
      apiVersion: "example.org/v1",
      kind: "Other",
      metadata: { name: "one" },
      spec: { a: 1 },
    };
    const objects = [definition("Other", "Cluster"), other];
    expect(await tenant.preview(objects)).toEqual([
      "create cluster",
      "create others.example.org",
      "create one",
    ]);
    await tenant.up(objects);
    expect(await tenant.get("other", "one")).toMatchObject({ spec: { a: 1 } });
    expect(await tenant.preview(objects)).toEqual([]);
    expect(await tenant.up(objects)).toMatchObject({ create: 0, update: 0, replace: 0 });
    await tenant.box.destroy();
    expect(await tenant.isThere("crd", "others.example.org")).toBe(false);
  });

  test("a change is an update in place; what others have written stays", async ({ tenant }) => {
    await tenant.up([tenant.thing("a", { ours: 1, gone: 1 })]);
    const { uid } = (await tenant.get("thing", "a")).metadata;
    await tenant.applyAs("other", tenant.thing("a", { theirs: 1 }));
    const changed = [tenant.thing("a", { ours: 2 })];
    expect(await tenant.preview(changed)).toEqual(["update a"]);
    await tenant.up(changed);
    const { metadata, spec } = await tenant.get("thing", "a");
    expect(metadata.uid).toBe(uid);
    expect(spec).toEqual({ ours: 2, theirs: 1 });
  });

  test("a field that somebody else has taken is an error, but where it is asked for", async ({
    tenant,
  }) => {
    await tenant.up([tenant.thing("a", { ours: 1 })]);
    await tenant.applyAs("somebody", tenant.thing("a", { ours: 9 }));
    const said = await failureOf(tenant.up([tenant.thing("a", { ours: 2 })]));
    expect(said).toMatch(/conflict/);
    expect(said).toContain("somebody");
    expect((await tenant.get("thing", "a")).spec).toEqual({ ours: 9 });
    const annotations = { "pulumi.com/patchForce": "true" };
    await tenant.up([tenant.thing("a", { ours: 2 }, { annotations })]);
    expect((await tenant.get("thing", "a")).spec).toEqual({ ours: 2 });
  });

  test("of a state that is lost: a manager of a fixed name takes up all that it had applied", async ({
    tenant,
  }) => {
    const annotations = { "pulumi.com/patchFieldManager": "fixed" };
    const [before, after] = [
      { kept: 1, changed: 1, gone: 1 },
      { kept: 1, changed: 2 },
    ];
    await tenant.up([
      tenant.thing("fixed", before, { annotations }),
      tenant.thing("random", before),
    ]);
    const { uid } = (await tenant.get("thing", "fixed")).metadata;
    const fresh = tenantIn(tenant.namespace);
    await fresh.up([tenant.thing("fixed", after, { annotations })]);
    const fixed = await tenant.get("thing", "fixed");
    expect(fixed.metadata.uid).toBe(uid);
    expect(fixed.spec).toEqual(after);
    // Without one, a manager that nobody has any more holds on to what it applied.
    expect(await failureOf(fresh.up([tenant.thing("random", after)]))).toMatch(/conflict/);
    fresh.box.remove();
  });

  test("data of a ConfigMap, selectors and names are replaced: the old one goes first where it has the same name", async ({
    tenant,
  }) => {
    const named = (name: string) => ({ manifest: tenant.configMap(name, {}), name: "name" });
    const elsewhere = (namespace: string) => ({
      manifest: { ...tenant.configMap("b", {}), metadata: { name: "b", namespace } },
      name: "namespace",
    });
    const objects = (data: string, app: string) => [
      tenant.configMap("data", { a: data }),
      daemonSet(tenant, { app }),
    ];
    // No node is there: a rollout has nothing to wait for.
    await tenant.up([...objects("1", "a"), named("old"), elsewhere(tenant.namespace)]);
    const uids = async () => [
      (await tenant.get("configmap", "data")).metadata.uid,
      (await tenant.get("daemonset", "cache")).metadata.uid,
    ];
    const before = await uids();
    const next = [...objects("2", "b"), named("new"), elsewhere("default")];
    const steps = ["replace data", "replace cache", "replace name", "replace namespace"];
    expect(await tenant.preview(next)).toEqual(steps);
    expect(await tenant.up(next)).toMatchObject({ replace: 4 });
    const after = await uids();
    for (const i of [0, 1]) expect(after[i]).not.toBe(before[i]);
    expect((await tenant.get("configmap", "data")).data).toEqual({ a: "2" });
    expect(await tenant.isThere("configmap", "old")).toBe(false);
    expect(await tenant.isThere("configmap", "new")).toBe(true);
    expect(await tenant.isThere("configmap", "b")).toBe(false);
    const { data } = await tenantIn("default").get("configmap", "b");
    expect(data).toBeUndefined();
    await tenant.box.destroy();
    expect(await tenantIn("default").isThere("configmap", "b")).toBe(false);
  });

  test("what the API server refuses leaves nothing", async ({ tenant }) => {
    const bad = { manifest: tenant.thing("UPPER", {}), name: "bad" };
    expect(await failureOf(tenant.up([bad]))).toMatch(/Invalid value|RFC 1123/);
    expect(await tenant.box.names()).not.toContain("bad");
    await tenant.up([{ ...bad, manifest: tenant.thing("lower", {}) }]);
    expect(await tenant.box.names()).toContain("bad");
  });

  test("a delete is done when the object has gone; one that has gone already is no error", async ({
    tenant,
  }) => {
    const held = tenant.thing("held", {}, { finalizers: ["example.org/hold"] });
    await tenant.up([held, tenant.thing("gone", {})]);
    await server.kubectl(["delete", "thing", "gone", "--namespace", tenant.namespace]);
    let isDone = false;
    const destroyed = tenant.box.destroy().finally(() => {
      isDone = true;
    });
    await waitFor("the deletion", 120, async () => {
      return (await tenant.get("thing", "held")).metadata.deletionTimestamp !== undefined;
    });
    expect(isDone).toBe(false);
    const free = ["patch", "thing", "held", "--namespace", tenant.namespace, "--type=merge"];
    await server.kubectl([...free, "--patch", '{"metadata":{"finalizers":null}}']);
    await destroyed;
    expect(await tenant.isThere("thing", "held")).toBe(false);
  });

  test("what was deleted by hand is the same until it changes; then it is an error", async ({
    tenant,
  }) => {
    await tenant.up([tenant.thing("a", { ours: 1 })]);
    await server.kubectl(["delete", "thing", "a", "--namespace", tenant.namespace]);
    expect(await tenant.preview([tenant.thing("a", { ours: 1 })])).toEqual([]);
    expect(await failureOf(tenant.up([tenant.thing("a", { ours: 2 })]))).toMatch(/not found/);
  });

  test("a secret is in the state in no form that can be read", async ({ tenant }) => {
    const metadata = { name: "a", namespace: tenant.namespace };
    const password = "hunter2hunter2";
    const manifest = { apiVersion: "v1", kind: "Secret", metadata };
    await tenant.up([{ manifest, secret: { stringData: { password } } }]);
    const encoded = Buffer.from(password).toString("base64");
    expect((await tenant.get("secret", "a")).data).toEqual({ password: encoded });
    const state = await tenant.box.state();
    expect(state).toContain("kubernetes:core/v1:Secret");
    for (const text of [password, encoded]) expect(state).not.toContain(text);
  });

  test("a kind that somebody else brings along during the run", async ({ tenant }) => {
    const late = JSON.stringify(definition("Late", "Cluster"));
    const create = `kubectl apply -f - && kubectl wait --for=condition=Established crd/lates.example.org`;
    const commands = [
      {
        name: "bring",
        args: { create, delete: "kubectl delete crd lates.example.org", stdin: late },
      },
    ];
    const manifest = {
      apiVersion: "example.org/v1",
      kind: "Late",
      metadata: { name: "one" },
      spec: { a: 1 },
    };
    const objects = [tenant.thing("first", {}), { manifest, after: "bring" }];
    await tenant.up(objects, { commands });
    expect(await tenant.preview(objects, { commands })).toEqual([]);
    await tenant.box.destroy();
    expect(await tenant.isThere("crd", "lates.example.org")).toBe(false);
  });

  test("without the API server a preview works, and a run says why it does not", async ({
    tenant,
  }) => {
    const whole = {
      apiVersion: "example.org/v1",
      kind: "Whole",
      metadata: { name: tenant.namespace },
      spec: {},
    };
    const objects = [whole, tenant.thing("a", {}), tenant.configMap("b", {})];
    await tenant.up(objects);
    const [port] = await freePorts(1);
    const kubeconfig = JSON.stringify({
      ...{ apiVersion: "v1", kind: "Config", "current-context": "a" },
      clusters: [{ name: "a", cluster: { server: `https://127.0.0.1:${port}` } }],
      contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
      users: [{ name: "a", user: { token: "a" } }],
    });
    const more = { provider: { kubeconfig } };
    expect(await tenant.preview(objects, more)).toEqual(["update cluster"]);
    const added = [...objects, tenant.thing("c", {})];
    expect(await tenant.preview(added, more)).toEqual(["update cluster", "create c"]);
    expect(await failureOf(tenant.up(added, more))).toMatch(/unreachable|refused/);
    expect(await tenant.box.names()).not.toContain("c");

    // In a stack that is new, too.
    const one = [tenant.thing("c", {})];
    const fresh = [tenantIn(tenant.namespace), tenantIn(tenant.namespace)] as const;
    const broken = { provider: { kubeconfig: "{ no: kubeconfig" } };
    for (const [its, provider, said] of [
      [fresh[0], more, /unreachable|refused/],
      [fresh[1], broken, /kubeconfig/],
    ] as const) {
      expect(await its.preview(one, provider)).toEqual(["create cluster", "create c"]);
      expect(await failureOf(its.up(one, provider))).toMatch(said);
      expect(await its.box.names()).not.toContain("c");
    }
    // What was no kubeconfig is in the state, and is compared with the next.
    expect(await failureOf(fresh[1].preview(one))).toContain("failed to parse kubeconfig");
    for (const { box } of fresh) box.remove();
  });

  test("an unknown kubeconfig replaces nothing where the cluster has an identifier", async ({
    tenant,
  }) => {
    const commands = (trigger: number) => [
      { name: "k", args: { create: "cat $KUBECONFIG", triggers: [trigger], logging: "none" } },
    ];
    const objects = [tenant.thing("a", {})];
    const more = (trigger: number, provider = {}) => ({
      ...{ commands: commands(trigger), kubeconfigFrom: "k", provider },
    });
    const isReplaced = (steps: string[]) => steps.filter((one) => /^replace [^k]/.test(one));
    await tenant.up(objects, more(1));
    expect(isReplaced(await tenant.preview(objects, more(2)))).toEqual([]);
    expect(
      isReplaced(await tenant.preview(objects, more(1, { clusterIdentifier: "new" }))),
    ).toEqual(["replace cluster", "replace a"]);
    // Where it comes or goes, it says nothing of the cluster.
    const without = more(1, { clusterIdentifier: undefined });
    expect(isReplaced(await tenant.preview(objects, without))).toEqual([]);
    await tenant.up(objects, without);
    const unknown = more(2, { clusterIdentifier: undefined });
    expect(isReplaced(await tenant.preview(objects, unknown))).toEqual([
      "replace cluster",
      "replace a",
    ]);
  });
});
