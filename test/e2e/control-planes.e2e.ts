import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseEngine, type Engine, forgetState } from "../lab/engine.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { waitFor } from "../lab/shell.ts";
import { removeStackFile, writeStackFile } from "../lab/stack.ts";
import type { Overrides } from "../lab/stack-file.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { labOf, saveKubeconfig } from "../lab/verification/verify.ts";
import { unchanged } from "./unchanged.ts";

const planes = ["cp-1", "cp-2", "cp-3"];
const workers = ["worker-1", "worker-2"];
const minutes = 60_000;
let facts: infrastructure.LabFacts;
let engine: Engine;
let lab: Lab;
let born: { uid: string; ca: string };

/** A machine with two cores for five nodes: an etcd with its usual clock would elect all day. */
const slow: Overrides = (config) => {
  config.kubernetes = {
    ...config.kubernetes,
    etcd: { heartbeatMilliseconds: 250, electionMilliseconds: 2500 },
  };
};
const with1: Overrides = (config) => {
  slow(config);
  config.nodes.existing = config.nodes.existing?.filter(
    ({ name }) => name === "cp-1" || workers.includes(name),
  );
};

beforeAll(async () => {
  await infrastructure.down();
  await forgetState();
  facts = await infrastructure.up({ hosts: [...planes, ...workers] });
  await use(slow);
}, 80 * minutes);

afterAll(async () => {
  await infrastructure.down();
  removeStackFile();
}, 2 * minutes);

async function use(vary: Overrides): Promise<void> {
  writeStackFile(facts, vary);
  engine = await chooseEngine(facts);
  lab = labOf(facts, engine);
}

/** Members of etcd as a control plane lists them: `name voter` or `name learner`. */
async function members(by = "cp-1"): Promise<string[]> {
  const list =
    "bash -c 'source /usr/local/lib/oslo-cluster/lib.sh; source /usr/local/lib/oslo-cluster/etcd.sh; etcd_members'";
  const lines = (await lab.onHost(by, list)).trim().split("\n");
  return lines.map((line) => line.split("\t").slice(1, 3).join(" ")).sort();
}

const voters = (names: string[]) => names.map((name) => `${name} voter`).sort();

async function identity() {
  const uid = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"];
  const ca = "sha256sum /etc/kubernetes/pki/ca.crt | cut -d' ' -f1";
  return { uid: await lab.kubectl(...uid), ca: (await lab.onHost("cp-1", ca)).trim() };
}

async function nodesReady(names: string[]): Promise<void> {
  await waitFor(`${names.join(", ")} to be all the nodes there are, and Ready`, 180, async () => {
    const { items } = JSON.parse(await lab.kubectl("get", "nodes", "-o", "json")) as Nodes;
    const ready = items.filter(({ status }) =>
      status.conditions.some(({ type, status: is }) => type === "Ready" && is === "True"),
    );
    const found = ready.map(({ metadata }) => metadata.name).sort();
    return items.length === names.length && found.join() === [...names].sort().join();
  });
}

interface Nodes {
  items: {
    metadata: { name: string };
    status: { conditions: { type: string; status: string }[] };
  }[];
}

describe("from nothing", () => {
  test("three control planes and two workers", { timeout: 30 * minutes }, async () => {
    const start = performance.now();
    await engine.up();
    console.log(`3+2 from nothing: ${Math.round((performance.now() - start) / 1000)} s`);
    await saveKubeconfig(engine);
    await nodesReady([...planes, ...workers]);
    for (const plane of planes) expect(await members(plane)).toEqual(voters(planes));
    born = await identity();
    await lab.kubectl(
      "-n",
      "kube-system",
      "create",
      "secret",
      "generic",
      "canary",
      "--from-literal=a=b",
    );
  });

  test("the keys that joins need are in no state", async () => {
    const state = await engine.exportedState();
    expect(state).not.toMatch(/SHARED|LS0tLS1CRUdJTi|PRIVATE KEY/);
  });

  test("no member could found a cluster of its own", async () => {
    for (const plane of planes) {
      const manifest = await lab.onHost(plane, "cat /etc/kubernetes/manifests/etcd.yaml");
      expect(manifest).toContain("--initial-cluster-state=existing");
    }
  });

  test("a second up changes nothing", { timeout: 10 * minutes }, async () => {
    expect(await engine.up()).toMatchObject(unchanged);
  });
});

/** How one control plane is lost, and comes back. */
const losses: { name: string; lose: string; back: string }[] = [
  {
    name: "its link",
    lose: "nohup sh -c 'ip link set eth0 down; sleep 40; ip link set eth0 up' >/dev/null 2>&1 &",
    back: "",
  },
  {
    name: "a hung API server",
    lose: "pkill -STOP -x kube-apiserver",
    back: "pkill -CONT -x kube-apiserver",
  },
  {
    name: "a stopped etcd",
    lose: "mv /etc/kubernetes/manifests/etcd.yaml /root/",
    back: "mv /root/etcd.yaml /etc/kubernetes/manifests/",
  },
];

describe("one control plane is lost", () => {
  const probers = ["cp-1", ...workers];

  beforeAll(async () => {
    await lab.kubectl("-n", "kube-system", "create", "configmap", "api-gap");
    const script = Buffer.from(readFileSync(join(import.meta.dirname, "api-gap.sh"))).toString(
      "base64",
    );
    const credential = await lab.onHost(
      "cp-1",
      "cd /etc/kubernetes/pki && for f in apiserver-kubelet-client.crt apiserver-kubelet-client.key ca.crt; do base64 -w0 $f; echo; done",
    );
    const [crt, key, ca] = credential.trim().split("\n");
    await lab.kubectl(
      "create",
      "clusterrolebinding",
      "api-gap",
      "--clusterrole=cluster-admin",
      "--user=kube-apiserver-kubelet-client",
    );
    for (const host of probers) {
      await lab.onHost(
        host,
        `mkdir -p -m 700 /run/api-gap && cd /run/api-gap && echo ${crt} | base64 -d >client.crt && echo ${key} | base64 -d >client.key && echo ${ca} | base64 -d >ca.crt && echo ${script} | base64 -d >api-gap.sh && systemd-run --quiet --unit=api-gap bash /run/api-gap/api-gap.sh /run/api-gap`,
      );
    }
  });

  test.for(losses)(
    "by $name: every node's balancer answers within 6 s",
    { timeout: 5 * minutes },
    async ({ name, lose, back }) => {
      await pause(5);
      const from = Date.now() / 1000;
      await lab.onHost("cp-3", lose);
      await pause(30);
      if (back !== "") await lab.onHost("cp-3", back);
      const gaps = await Promise.all(
        probers.map(async (host) => {
          const answers = (await lab.onHost(host, "cat /run/api-gap/answers")).trim().split("\n");
          return {
            host,
            read: longest(answers, "read", from),
            write: longest(answers, "write", from),
          };
        }),
      );
      console.log(
        `${name}: ${gaps.map(({ host, read, write }) => `${host} read ${read.toFixed(1)} s, write ${write.toFixed(1)} s`).join("; ")}`,
      );
      for (const { read, write } of gaps) {
        expect(read).toBeLessThanOrEqual(6);
        expect(write).toBeLessThanOrEqual(6);
      }
      await waitFor("cp-3 to be back", 180, async () => {
        const ready = "curl -sk --max-time 5 https://127.0.0.1:6443/readyz || true";
        return (await lab.onHost("cp-3", ready)).trim() === "ok";
      });
      await nodesReady([...planes, ...workers]);
    },
  );

  afterAll(async () => {
    for (const host of probers)
      await lab.onHost(host, "systemctl stop api-gap; rm -rf /run/api-gap");
  });
});

describe("a control plane is replaced by name", () => {
  test.for(["cp-3", "cp-1"])(
    "%s, which its provider re-created",
    { timeout: 20 * minutes },
    async (plane) => {
      await infrastructure.rebuildHost(plane);
      facts = await infrastructure.up({ hosts: [...planes, ...workers] });
      await use(slow);
      const start = performance.now();
      await engine.up();
      console.log(`${plane} replaced: ${Math.round((performance.now() - start) / 1000)} s`);
      await nodesReady([...planes, ...workers]);
      for (const by of planes) expect(await members(by)).toEqual(voters(planes));
      expect(await identity()).toEqual(born);
      expect(
        await lab.kubectl(
          "-n",
          "kube-system",
          "get",
          "secret",
          "canary",
          "-o",
          "jsonpath={.data.a}",
        ),
      ).toBe("Yg==");
      expect(await engine.up()).toMatchObject(unchanged);
    },
  );

  test("two at once are refused, and no member leaves", { timeout: 10 * minutes }, async () => {
    for (const plane of ["cp-2", "cp-3"]) await infrastructure.rebuildHost(plane);
    facts = await infrastructure.up({ hosts: [...planes, ...workers] });
    await use(slow);
    await expect(engine.up()).rejects.toThrow();
  });
});

describe("shrinking and growing", () => {
  test("from three to one and back, the CA as it was", { timeout: 30 * minutes }, async () => {
    await use(with1);
    await engine.up();
    expect(await members()).toEqual(voters(["cp-1"]));
    await nodesReady(["cp-1", ...workers]);
    await use(slow);
    await engine.up();
    expect(await members()).toEqual(voters(planes));
    await nodesReady([...planes, ...workers]);
    expect(await identity()).toEqual(born);
  });
});

/** The longest time without an answer of a kind, from a moment on, in seconds. */
function longest(answers: string[], kind: string, from: number): number {
  const times = answers
    .filter((line) => line.endsWith(` ${kind}`))
    .map((line) => Number(line.split(" ")[0]))
    .sort((a, b) => a - b);
  const since = [from, ...times.filter((time) => time >= from)];
  return Math.max(...since.slice(1).map((time, i) => time - (since[i] as number)), 0);
}

async function pause(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
