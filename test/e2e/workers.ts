import { describe, expect, test } from "vitest";
import type { Engine } from "../lab/engine.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { waitFor } from "../lab/shell.ts";
import { stackFile, writeStackFile } from "../lab/stack.ts";
import type { Overrides } from "../lab/stack-file.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { verify } from "../lab/verification/verify.ts";
import { labels, planned } from "./impacts.ts";
import { unchanged } from "./unchanged.ts";

export interface Running {
  current(): { engine: Engine; lab: Lab };
}

const minutes = 60_000;

/**
 * A worker whose provider re-creates it.
 *
 * @param refresh takes the lab as it is now, with its hosts' keys, for the stack's file and all that follows
 */
export function describeRecreation({ current }: Running, refresh: () => Promise<void>): void {
  describe("a worker that its provider re-created under the same name", () => {
    test("joins as another machine", { timeout: 30 * minutes }, async () => {
      const kubectl = (...args: string[]) => current().lab.kubectl(...args);
      // There when its machine is removed.
      await apply(current().lab, [deployment]);
      await servedBy(current().lab, "worker-1");
      const uid = () => kubectl("get", "node", "worker-1", "-o", "jsonpath={.metadata.uid}");
      const before = await uid();
      const file = planned(stackFile);
      await infrastructure.rebuildHost("worker-1");
      await refresh();
      expect(Object.values(labels(file, planned(stackFile)))[0]).toBe("recreate");
      const summary = await current().engine.up();
      expect(summary).toMatchObject({ create: 0, delete: 0, replace: 2 });
      expect(await uid()).not.toBe(before);
      await kubectl("-n", "kube-system", "rollout", "status", "deployment/web", "--timeout=180s");
      await kubectl("-n", "kube-system", "delete", "deployment", "web");
      const { lab, engine } = current();
      const rows = await verify(lab.facts, engine);
      expect(rows.filter(({ verdict }) => verdict === "fail")).toEqual([]);
      expect(await engine.up()).toMatchObject(unchanged);
    });
  });
}

/**
 * A worker that leaves a living cluster.
 *
 * @param leftovers what a released machine must not show
 */
export function describeLeaving(
  { current }: Running,
  leftovers: (host: string) => Promise<string>,
): void {
  const kubectl = (...args: string[]) => current().lab.kubectl(...args);
  const nodes = () => kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}");
  // Long enough for DNS, which takes five seconds to end.
  const impatient: Overrides = (config) => {
    config.kubernetes = { ...config.kubernetes, drainTimeoutSeconds: 30 };
  };
  const withoutWorker: Overrides = (config) => {
    impatient(config);
    config.nodes.existing = config.nodes.existing?.filter(({ name }) => name !== "worker-1");
  };

  describe("a worker that is to leave", () => {
    test("stays while a disruption budget keeps its pods, and it is said which and what to do", {
      timeout: 30 * minutes,
    }, async () => {
      await apply(current().lab, [deployment, budget]);
      await servedBy(current().lab, "worker-1");
      writeStackFile(current().lab.facts, impatient);
      // How long is waited is a word to each node's leaving.
      expect(await current().engine.up()).toMatchObject({ create: 0, replace: 0, delete: 0 });
      writeStackFile(current().lab.facts, withoutWorker);
      const said = await messageOf(current().engine.up());
      expect(said).toMatch(/kube-system\/web-\S+: its PodDisruptionBudget allows no eviction/);
      expect(said).toContain("kubectl uncordon worker-1");
      expect(await nodes()).toBe("cp-1 worker-1");
      await servedBy(current().lab, "worker-1");
    });

    test("leaves in a later run: pods moved, Node object gone, machine given back", {
      timeout: 30 * minutes,
    }, async () => {
      await kubectl("-n", "kube-system", "delete", "poddisruptionbudget", "web");
      const summary = await current().engine.up();
      expect(summary.delete).toBeGreaterThan(0);
      expect(await nodes()).toBe("cp-1");
      await servedBy(current().lab, "cp-1");
      expect(await leftovers("worker-1")).toBe("");
      expect(await current().engine.up()).toMatchObject(unchanged);
    });
  });
}

/** Waits until its one pod serves on a node. */
async function servedBy({ kubectl }: Lab, node: string): Promise<void> {
  const running = ["-n", "kube-system", "get", "pods", "-l", "app=web"];
  await waitFor(`web to run on ${node}`, 180, async () => {
    const pods = await kubectl(...running, "-o", "json");
    const { items } = JSON.parse(pods) as { items: Pod[] };
    return items.length === 1 && items.every((pod) => serves(pod, node));
  });
}

interface Pod {
  spec: { nodeName?: string };
  status: { conditions?: { type: string; status: string }[] };
}

function serves({ spec, status }: Pod, node: string): boolean {
  const ready = status.conditions?.some((one) => one.type === "Ready" && one.status === "True");
  return spec.nodeName === node && ready === true;
}

async function messageOf(run: Promise<unknown>): Promise<string> {
  return run.then(
    () => "",
    (error: Error) => error.message,
  );
}

const metadata = { name: "web", namespace: "kube-system" };
const webLabels = { app: "web" };

/**
 * One pod that likes workers and takes any node, on the host's network: it runs where the lab has no
 * images of Cilium, too.
 */
function deployment(image: string): object {
  const likesWorkers = {
    key: "node-role.kubernetes.io/control-plane",
    operator: "DoesNotExist",
  };
  const spec = {
    hostNetwork: true,
    terminationGracePeriodSeconds: 1,
    tolerations: [
      { operator: "Exists", effect: "NoSchedule", key: "node-role.kubernetes.io/control-plane" },
      { operator: "Exists", key: "node.kubernetes.io/not-ready" },
      { operator: "Exists", key: "node.kubernetes.io/network-unavailable" },
      { operator: "Exists", key: "node.cilium.io/agent-not-ready" },
    ],
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 100, preference: { matchExpressions: [likesWorkers] } },
        ],
      },
    },
    containers: [{ name: "web", image, imagePullPolicy: "IfNotPresent" }],
  };
  return {
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata },
    spec: {
      replicas: 1,
      selector: { matchLabels: webLabels },
      template: { metadata: { labels: webLabels }, spec },
    },
  };
}

const budget = () => ({
  ...{ apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata },
  spec: { minAvailable: 1, selector: { matchLabels: webLabels } },
});

/** Applies objects, made with an image that every node has, and waits for the pod. */
async function apply(
  { kubectl, onHost }: Lab,
  objects: readonly ((image: string) => object)[],
): Promise<void> {
  const image = (
    await onHost("cp-1", "kubeadm config images list 2>/dev/null | grep /pause:")
  ).trim();
  for (const object of objects) {
    await onHost(
      "cp-1",
      `kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f - <<'END'\n${JSON.stringify(object(image))}\nEND`,
    );
  }
  await kubectl("-n", "kube-system", "rollout", "status", "deployment/web", "--timeout=120s");
}
