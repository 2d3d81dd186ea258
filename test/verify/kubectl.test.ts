import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base, expect, vi } from "vitest";
import { kubectlOf } from "../../verify/kubectl.ts";

const minutes = 60_000;
const exec = {
  apiVersion: "client.authentication.k8s.io/v1",
  command: "sh",
  args: ["-c", "ssh cp-1 credential"],
  env: [{ name: "SOME", value: "thing" }],
  interactiveMode: "Never",
};
const credential = (key: string) =>
  JSON.stringify({
    apiVersion: exec.apiVersion,
    kind: "ExecCredential",
    status: {
      expirationTimestamp: new Date(Date.now() + 55 * minutes).toISOString(),
      clientKeyData: key,
    },
  });

const test = base.extend<{ kubeconfig: (user: object, server?: string) => string }>({
  kubeconfig: async ({ task: _ }, use) => {
    const folder = mkdtempSync(join(tmpdir(), "kubectl-"));
    await use((user, server = "https://10.10.0.11:6443") => {
      const file = join(folder, "kubeconfig");
      const content = {
        clusters: [{ name: "oslo", cluster: { server } }],
        contexts: [{ name: "here", context: { cluster: "oslo", user: "me" } }],
        users: [
          { name: "other", user: {} },
          { name: "me", user },
        ],
        "current-context": "here",
      };
      writeFileSync(file, JSON.stringify(content));
      return file;
    });
    rmSync(folder, { recursive: true });
  },
});

/** What was run. Each time that it is asked, the kubeconfig's command makes another credential. */
function machine() {
  const asked: Record<string, string>[] = [];
  const kubectls: { args: readonly string[]; env: Record<string, string> }[] = [];
  let fails = 0;
  const run = async (
    [command, ...args]: readonly string[],
    { env = {} }: { env?: Record<string, string> } = {},
  ) => {
    if (command === "kubectl") {
      kubectls.push({ args, env });
      return "";
    }
    expect([command, ...args]).toEqual([exec.command, ...exec.args]);
    asked.push(env);
    if (fails-- > 0) throw new Error("cp-1 does not answer");
    return credential(`key ${asked.length}`);
  };
  const keys = () => kubectls.map(({ env }) => env.OSLO_CLUSTER_CREDENTIAL ?? "none");
  const failNext = () => {
    fails = 1;
  };
  return { run, asked, kubectls, keys, failNext };
}

test("asks for one credential, which many at once use, and which no argument has", async ({
  kubeconfig,
}) => {
  const file = kubeconfig({ exec });
  const { run, asked, kubectls, keys } = machine();
  const kubectl = kubectlOf(file, run);
  await Promise.all(["pods", "nodes"].map((what) => kubectl(["get", what])));
  await kubectl(["get", "services"]);
  expect(asked).toEqual([{ SOME: "thing", KUBERNETES_EXEC_INFO: expect.any(String) }]);
  expect(keys()).toEqual(Array(3).fill(expect.stringContaining("key 1")));
  expect(kubectls.map(({ args }) => args.slice(-2))).toEqual([
    ["get", "pods"],
    ["get", "nodes"],
    ["get", "services"],
  ]);
  expect(JSON.stringify(kubectls.map(({ args }) => args))).not.toContain("key 1");
  expect(kubectls[0]?.env.KUBECONFIG?.split(":")[0]).toBe(file);
});

test("asks again before it ends, where it failed, and for another cluster", async ({
  kubeconfig,
}) => {
  const { run, asked, keys, failNext } = machine();
  const kubectl = kubectlOf(kubeconfig({ exec }), run);
  failNext();
  await expect(kubectl(["get", "pods"])).rejects.toThrow("cp-1 does not answer");
  await kubectl(["get", "pods"]);
  vi.useFakeTimers({ now: Date.now() + 51 * minutes, toFake: ["Date"] });
  await kubectl(["get", "pods"]);
  vi.useRealTimers();
  kubeconfig({ exec }, "https://10.10.0.12:6443");
  await kubectl(["get", "pods"]);
  expect(asked.length).toBe(4);
  expect(keys().map((key) => JSON.parse(key).status.clientKeyData)).toEqual([
    "key 2",
    "key 3",
    "key 4",
  ]);
});

test.for([
  ["a token", { token: "static" }],
  ["a command that may ask a person", { exec: { ...exec, interactiveMode: "IfAvailable" } }],
  ["a command that wants to know the cluster", { exec: { ...exec, provideClusterInfo: true } }],
] as const)("leaves a kubeconfig with %s to kubectl", async ([, user], { kubeconfig }) => {
  const file = kubeconfig(user);
  const { run, asked, kubectls } = machine();
  await kubectlOf(file, run)(["get", "pods"]);
  expect(asked).toEqual([]);
  expect(kubectls).toEqual([{ args: ["--kubeconfig", file, "get", "pods"], env: {} }]);
});
