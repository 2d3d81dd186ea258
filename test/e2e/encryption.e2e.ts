import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ask } from "../../commands/encryption/nodes.ts";
import { outlook, rotate } from "../../commands/encryption/rotate.ts";
import { waitFor } from "../lab/shell.ts";
import { root } from "../root.ts";
import { Machine } from "../steps/machine.ts";
import { localPlanes } from "./local-planes.ts";
import { apiServerFlags, LoopbackControlPlane } from "./loopback.ts";
import type { Results } from "./secret-reader.ts";

// One etcd and three API servers, each with a configuration of its own, as on three control planes.
const plane = new LoopbackControlPlane();
const others = [new Machine("oslo"), new Machine("oslo")];
const machines = [plane.machine, ...others];
const ports = machines.map((_, i) => 6443 + i);
const places = machines.map((machine, i) => ({
  name: `cp-${i + 1}`,
  namespace: plane.namespace,
  library: machine.path("lib"),
}));
const planes = localPlanes(places);
const secrets = 200;
let reader: ChildProcess;

beforeAll(async () => {
  await plane.start();
  Object.assign(process.env, plane.environment());
  for (const [i, machine] of others.entries()) addApiServer(machine, 6444 + i);
  for (const port of ports) await answers(port);
  const items = Array.from({ length: secrets }, (_, i) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: `s-${i}` },
    stringData: { value: `value-${i}` },
  }));
  plane.machine.write("secrets.json", JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await plane.kubectl("create", "-f", plane.machine.path("secrets.json"));
  // As kubeadm binds its own group.
  const binding = ["--clusterrole=cluster-admin", "--group=kubeadm:cluster-admins"];
  await plane.kubectl("create", "clusterrolebinding", "kubeadm:cluster-admins", ...binding);
  await startReader();
}, 600_000);

afterAll(async () => {
  for (const port of ports) await plane.stop(`api-${port}`);
  await plane.stop("node");
  await plane.remove();
  for (const machine of others) machine.remove();
});

function addApiServer(machine: Machine, port: number): void {
  for (const name of ["encryption.sh", "etcd.sh", "static-pods.sh"]) machine.install(name);
  cpSync(plane.machine.path("etc"), machine.path("etc"), { recursive: true });
  plane.putManifest("kube-apiserver", "v1.36.3", apiServerFlags(port), machine);
  plane.startApiServer(machine, port);
}

async function answers(port: number): Promise<void> {
  const server = `https://10.99.0.1:${port}`;
  const admin = plane.machine.path("etc/kubernetes/admin.conf");
  await waitFor(`the API server of ${port}`, 120, async () => {
    const args = ["--kubeconfig", admin, "--server", server, "get", "--raw", "/readyz"];
    return (await plane.attempt("kubectl", ...args)).exitCode === 0;
  });
}

async function startReader(): Promise<void> {
  const { machine } = plane;
  for (const [name, field] of [
    ["client.crt", "users[0].user.client-certificate-data"],
    ["client.key", "users[0].user.client-key-data"],
    ["ca.crt", "clusters[0].cluster.certificate-authority-data"],
  ]) {
    const { stdout } = await plane.kubectl("config", "view", "--raw", "-o", `jsonpath={.${field}}`);
    machine.write(`reader/${name}`, Buffer.from(stdout, "base64").toString());
  }
  const script = join(root, "test/e2e/secret-reader.ts");
  const args = [machine.path("reader/result.json"), machine.path("reader"), `${secrets}`];
  reader = plane.spawn(process.execPath, [script, ...args, ...ports.map(String)], {}, "node");
  await waitFor("the reader", 30, async () => machine.read("reader/result.json") !== "");
}

/** What the readers have come to since they began: nothing that could not be read. */
async function expectNoErrors(): Promise<void> {
  expect(reader.exitCode).toBeNull();
  const before = JSON.parse(plane.machine.read("reader/result.json"))[ports[0] as number].reads;
  let results: Record<string, Results> = {};
  await waitFor("each of the readers has read on", 120, async () => {
    results = JSON.parse(plane.machine.read("reader/result.json"));
    return results[ports[0] as number]?.reads !== before;
  });
  console.log(JSON.stringify(results));
  expect(Object.keys(results)).toEqual(ports.map(String));
  for (const { reads, writes, errors, unanswered } of Object.values(results)) {
    expect(errors).toEqual([]);
    expect(unanswered).toBeLessThan(reads / 100);
    expect(reads).toBeGreaterThan(100);
    expect(writes).toBeGreaterThan(5);
  }
}

/** What etcd itself has, and what the nodes keep. */
async function expectRotated(key: string, kept: number): Promise<void> {
  const all = await plane.run(
    "bash",
    "-c",
    etcdctl("get /registry/secrets/ --prefix --print-value-only"),
  );
  const found = [...all.stdout.matchAll(/k8s:enc:secretbox:v1:(key\d+):/g)].map(([, name]) => name);
  expect(new Set(found)).toEqual(new Set([key]));
  expect(found.length).toBeGreaterThanOrEqual(secrets);
  for (const { state } of await ask(planes)) {
    expect(state).toMatchObject({ keys: [key], loaded: true });
    expect(state.kept).toHaveLength(kept);
  }
}

function etcdctl(words: string): string {
  const pki = plane.machine.path("etc/kubernetes/pki/etcd");
  const files = `--cacert ${pki}/ca.crt --cert ${pki}/server.crt --key ${pki}/server.key`;
  return `etcdctl --endpoints https://127.0.0.1:2379 ${files} ${words}`;
}

it("with Secrets that are read and written at every API server all the time", async () => {
  const said: string[] = [];
  const { key, steps } = outlook(await ask(planes));
  expect(key).toBe("key2");
  expect(steps.join("\n")).toMatch(/^a new rotation, from key1 to key2/);
  const { census, seconds } = await rotate(planes, { key, say: (line) => said.push(line) });
  console.log(`rotated in ${seconds} s:\n${said.join("\n")}`);
  expect(Object.keys(census)).toEqual(["key2"]);
  await expectRotated("key2", 1);
  await expectNoErrors();
}, 1_800_000);

it("keeps the former key for root alone, in a file that an API server can be started with", async () => {
  for (const machine of machines) {
    const folder = machine.path("etc/kubernetes/encryption-keys");
    const [name = ""] = readdirSync(folder);
    expect(name).toMatch(/^key2-key1-[0-9a-f]{8}\.yaml$/);
    const text = readFileSync(join(folder, name), "utf8");
    expect(text).toContain(Buffer.alloc(32, "key1").toString("base64"));
    const { stdout } = await plane.run("stat", "--format=%a", folder, join(folder, name));
    expect(stdout).toBe("700\n600");
  }
});

it("taken up after a kill at every step", async () => {
  const seen = new Set<string>();
  let runs = 0;
  for (let done = false; !done; runs++) {
    expect(runs).toBeLessThan(30);
    let barriers = 0;
    done = await runUntil(async (line) => {
      // Each run says it three times, however far it was before.
      const step = line.startsWith("loaded") ? `loaded, ${++barriers}` : line;
      // Of the last drop too: once every API server has loaded it, the next run would be another rotation.
      if (seen.has(step) || step === "loaded, 3" || line.startsWith("cp-3: dropped")) return false;
      seen.add(step);
      // Half of the Secrets are written again.
      if (step === "loaded, 2") await someAre("key3");
      return true;
    });
  }
  console.log(`${runs} runs; killed at:\n${[...seen].join("\n")}`);
  expect(seen.size).toBeGreaterThan(9);
  await expectRotated("key3", 2);
  await expectNoErrors();
}, 2_400_000);

/** Runs a rotation until it ends, or is killed with all that it started. @returns whether it ended well */
async function runUntil(isWanted: (line: string) => Promise<boolean>): Promise<boolean> {
  const script = join(root, "test/e2e/rotate-once.ts");
  const child = spawn(process.execPath, [script], {
    detached: true,
    stdio: ["pipe", "ignore", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  child.stdin.end(JSON.stringify(places));
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    if (await isWanted(line)) {
      process.kill(-(child.pid as number), "SIGKILL");
      await ended;
      return false;
    }
  }
  const code = await ended;
  if (code !== 0) console.log(`ended with ${code}: ${said.slice(-8).join("\n")}`);
  return code === 0;
}

async function someAre(key: string): Promise<void> {
  await waitFor(`a Secret of ${key}`, 300, async () => {
    const census = JSON.parse((await planes[1]?.run("encryption", "census")) ?? "{}");
    return (census[key] ?? 0) > 0;
  });
}

it("a file that was changed by hand, an API server without reload and a silent control plane are refused", async () => {
  const [first, second] = machines as [Machine, Machine, Machine];
  const config = "etc/kubernetes/encryption/config.yaml";
  const present = second.read(config);
  second.write(config, present.replace("- identity: {}", "- identity: {} # mine"));
  await expect(ask(planes)).rejects.toThrow(/cp-2: .*was changed by hand/);
  second.write(config, present);
  const manifest = "etc/kubernetes/manifests/kube-apiserver.yaml";
  const flags = first.read(manifest);
  first.write(manifest, flags.replace("automatic-reload=true", "automatic-reload=false"));
  await expect(ask(planes)).rejects.toThrow(/cp-1: its API server does not look for changed keys/);
  first.write(manifest, flags);
  await expect(ask([...planes.slice(1)])).rejects.toThrow(
    /cp-1: a member of etcd that the stack's file has not/,
  );
});
