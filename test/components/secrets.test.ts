import { beforeAll, describe, expect, it } from "vitest";
import { leaks } from "../../plan/secrets.ts";
import { planOf, stackFiles, stackNames } from "../stacks.ts";
import { Graph } from "./graph.ts";
import { type Registered, runProgram } from "./program.ts";

const forbiddenKeys = ["privateKey", "privateKeyPassword", "password", "agentSocketPath", "token"];

/** Every key and every text of a resource's inputs. */
function contents(value: unknown): { keys: string[]; texts: string[] } {
  if (typeof value === "string") return { keys: [], texts: [value] };
  if (typeof value !== "object" || value === null) return { keys: [], texts: [] };
  const below = Object.values(value).map(contents);
  return {
    keys: [...Object.keys(value), ...below.flatMap(({ keys }) => keys)],
    texts: below.flatMap(({ texts }) => texts),
  };
}

it.each([
  "token: abcdef.0123456789abcdef",
  `sha256:${"0a".repeat(32)}`,
  "-----BEGIN OPENSSH PRIVATE KEY-----",
  Buffer.from("-----BEGIN RSA PRIVATE KEY-----\nabc").toString("base64"),
  Buffer.from("-----BEGIN EC PRIVATE KEY-----\nabc").toString("base64"),
  `client-key-data: ${"A".repeat(40)}`,
  `secret: ${Buffer.alloc(32, 7).toString("base64")}`,
  "password: x",
  "https://me:hunter2@mirror.example.no/k8s",
  "Authorization: Bearer 0123456789abcdef0123",
  `eyJhbGciOiJSUzI1NiJ9.${btoa('{"iss":"kubernetes"}').replace(/=+$/, "")}.c2lnbmF0dXJl`,
  `ghp_${"a".repeat(36)}`,
  `github_pat_${"a".repeat(30)}`,
  `glpat-${"a".repeat(20)}`,
  `pul-${"0a".repeat(20)}`,
  `xoxb-${"1".repeat(12)}`,
  "AKIAIOSFODNN7EXAMPLE",
  `AGE-SECRET-KEY-1${"Q".repeat(58)}`,
  '{"auths":{"quay.io":{"auth":"bWU6cGFzcw=="}}}',
])("the canaries sing at %s", (secret) => {
  expect(leaks([`before\n  ${secret}\nafter`])).not.toEqual([]);
});

describe.each(stackNames)("the resources of %s", (stack) => {
  const plan = planOf(stack);
  let graph: Graph;
  const commands = (): Registered[] => graph.ofType(/^command:/);
  const remote = (): Registered[] => graph.ofType("command:remote:Command");

  beforeAll(async () => {
    graph = new Graph((await runProgram(stackFiles[stack])).resources);
  });

  it("hold no secret in any input", () => {
    for (const { name, inputs } of graph.resources) {
      const { keys, texts } = contents(inputs);
      expect({ name, leaks: leaks(texts) }).toEqual({ name, leaks: [] });
      expect(keys.filter((key) => forbiddenKeys.includes(key))).toEqual([]);
    }
  });

  it("hold placeholders where the node fills in a secret", () => {
    const texts = graph.resources.flatMap(({ inputs }) => contents(inputs).texts).join("\n");
    expect(texts).toContain("token: __TOKEN__");
    expect(texts).toContain("secret: __SECRETBOX_KEY__");
  });

  it("pin every machine's host key, and the bastion's", () => {
    expect(remote().length).toBeGreaterThanOrEqual(2 * plan.nodes.length);
    for (const { name, inputs } of remote()) {
      const node = plan.nodes.find((candidate) => name.startsWith(`${candidate.name}-`));
      // A guest's own key is what its hypervisor has printed.
      const pinned = node?.guest
        ? `ssh-ed25519 AAAA${node.name.replaceAll("-", "+")}`
        : node?.reach.hostKey;
      expect(inputs.connection).toMatchObject({ ...node?.reach, hostKey: pinned });
      const { host, port, user, hostKey } = plan.bastion ?? {};
      if (plan.bastion)
        expect(inputs.connection.proxy).toMatchObject({ host, port, user, hostKey });
      else expect(inputs.connection).not.toHaveProperty("proxy");
    }
  });

  it("give up on a machine that does not answer within a minute", () => {
    for (const { inputs } of remote()) {
      const { dialErrorLimit, perDialTimeout } = inputs.connection;
      expect(dialErrorLimit * perDialTimeout).toBeLessThanOrEqual(60);
    }
  });

  it("pin the host key of every machine that a local command reaches by ssh", () => {
    for (const { name, inputs } of graph.ofType("command:local:Command")) {
      const text = [inputs.create, inputs.delete, inputs.stdin].join("\n");
      // In a kubeconfig, command and arguments are apart.
      const calls = text.match(/\bssh\b(?= '?-)|"command":\s*\[?"ssh"/g) ?? [];
      // Barriers and machines' identities.
      const local =
        inputs.create === ":" && !(inputs.delete as string | undefined)?.includes("ssh ");
      expect([name, calls.length > 0]).toEqual([name, !local]);
      expect(text.match(/StrictHostKeyChecking=yes/g) ?? []).toHaveLength(calls.length);
      expect(text.match(/KnownHostsCommand=/g) ?? []).toHaveLength(calls.length);
      expect(text).not.toMatch(/StrictHostKeyChecking=(no|accept-new|ask)/);
    }
  });

  it("log no step's stdout, where readings are, and pass none on by the environment", () => {
    for (const { name, inputs } of commands()) {
      expect(inputs.addPreviousOutputInEnv).toBe(false);
      expect(inputs).not.toHaveProperty("environment");
      // Who leaves or is released reads nothing that is secret; what was done is all that is printed.
      if (!/-(release|leave)$/.test(name)) expect(["stderr", "none"]).toContain(inputs.logging);
    }
  });

  it("take scripts and documents on stdin, so that an error that repeats the command is short", () => {
    for (const { name, inputs } of commands()) {
      if (inputs.create === ":" && !inputs.stdin) continue;
      expect(inputs.stdin).toEqual(expect.any(String));
      expect([name, inputs.create.length < 3000]).toEqual([name, true]);
    }
  });

  it("mint a join's credentials when it runs, out of Pulumi's sight", () => {
    const joins = graph.resources.filter(({ name }) => name.endsWith("-join"));
    expect(joins.length).toBeGreaterThan(0);
    for (const { inputs } of joins) {
      expect(inputs.create).toContain("oslo-step mint-join worker");
      expect(inputs.create).not.toContain("set -x");
    }
  });
});
