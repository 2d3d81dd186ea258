import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { root } from "../root.ts";
import { type Answers, FakeGitHub } from "./fake.ts";

const github = new FakeGitHub();
afterAll(() => github.end());

const key = (letter: string) => `SHA256:${letter.repeat(43)}`;
const production = {
  stack: "production",
  runner: "oslo-production",
  backend: "s3://oslo-production?region=eu-north-1",
  sshKey: key("p"),
};
const staging = {
  stack: "staging",
  runner: "oslo-staging",
  backend: "s3://oslo-staging",
  sshKey: key("s"),
};
const ephemeral = {
  from: "ephemeral.yaml",
  runner: "oslo-ephemeral",
  backend: "s3://oslo-ephemeral",
  sshKey: key("e"),
};
const environments = { stacks: [production, staging], ephemeral };

const reviewers = { type: "required_reviewers", reviewers: [{ type: "User" }] };
const limited = { protected_branches: false, custom_branch_policies: true };
function settings(name: string, protection_rules: object[], branches = ["main"], policy = limited) {
  const at = `repos/o/r/environments/${name}`;
  return {
    [at]: { protection_rules, deployment_branch_policy: policy },
    [`${at}/deployment-branch-policies`]: {
      branch_policies: branches.map((branch) => ({ name: branch, type: "branch" })),
    },
  };
}
const good: Answers = {
  ...settings("production", [reviewers]),
  ...settings("production-read", []),
  ...settings("staging", [reviewers]),
  ...settings("staging-read", []),
  ...settings("ephemeral", []),
};

async function read(content: unknown, answers: Answers = good, ...args: string[]) {
  const file = github.write("environments.json", JSON.stringify(content));
  return github.run("environments.sh", [file, ...args], answers);
}

describe("environments.sh", () => {
  it("lists stacks for a matrix, and what ephemeral clusters take", async () => {
    const { exitCode, stdout } = await read(environments);
    expect(exitCode).toBe(0);
    const [stacks = "", other = ""] = stdout.split("\n").map((line) => line.replace(/^\w+=/, ""));
    expect(JSON.parse(stacks)).toEqual([production, staging]);
    expect(JSON.parse(other)).toEqual(ephemeral);
  });

  it("one stack alone, and no other", async () => {
    const { stdout } = await read(environments, good, "staging");
    expect(JSON.parse(stdout.split("\n")[0]?.replace("stacks=", "") ?? "")).toEqual([staging]);
    expect((await read(environments, good, "stagin")).exitCode).toBe(1);
  });

  it("has none as the repository comes, and asks GitHub nothing", async () => {
    const own = readFileSync(join(root, ".github/environments.json"), "utf8");
    const { stdout, asked } = await read(JSON.parse(own), {});
    expect(stdout.split("\n")).toEqual(["stacks=[]", "ephemeral=null"]);
    expect(asked).toEqual([]);
  });

  const shared: [string, object, RegExp][] = [
    [
      "an SSH key that ephemeral clusters share",
      { ...environments, ephemeral: { ...ephemeral, sshKey: production.sshKey } },
      /production and ephemeral share sshKey/,
    ],
    [
      "a runner of two stacks",
      { stacks: [production, { ...staging, runner: production.runner }] },
      /production and staging share runner oslo-production/,
    ],
    [
      "a state that is spelled in two ways",
      { stacks: [production, { ...staging, backend: "s3://oslo-production/" }] },
      /production and staging share the state/,
    ],
    [
      "a state within another's",
      { ...environments, ephemeral: { ...ephemeral, backend: "s3://oslo-staging/ephemeral" } },
      /ephemeral and staging share the state/,
    ],
    ["a key that is none", { stacks: [{ ...production, sshKey: "x" }] }, /production: sshKey is x/],
    [
      "a stack without a runner",
      { stacks: [{ ...production, runner: undefined }] },
      /production lacks runner/,
    ],
    ["a word too many", { stacks: [{ ...production, key: "x" }] }, /unknown key key/],
    ["a stack's name that is none", { stacks: [{ ...production, stack: "a b" }] }, /a b: not a/],
    ["one stack twice", { stacks: [production, production] }, /two stacks are named production/],
  ];
  it.each(shared)("refuses %s", async (_, content, message) => {
    const { exitCode, stdout, stderr } = await read(content);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(message);
  });

  it("tells every fault at once", async () => {
    const content = {
      stacks: [production, { ...staging, sshKey: production.sshKey, runner: production.runner }],
    };
    expect((await read(content)).stderr.split("\n")).toHaveLength(2);
  });

  it("GitHub's own machines are new for each job, and Pulumi Cloud separates by token", async () => {
    const both = { runner: "ubuntu-latest", backend: "https://api.pulumi.com" };
    const content = { stacks: [production, staging].map((stack) => ({ ...stack, ...both })) };
    expect((await read(content)).exitCode).toBe(0);
  });

  it.each([
    [
      "an environment that is missing",
      { "repos/o/r/environments/production": undefined },
      /production: GitHub/,
    ],
    [
      "one for every branch",
      settings("production", [reviewers], [], null as never),
      /production: may be used from every branch/,
    ],
    [
      "one for another branch too",
      settings("staging", [reviewers], ["main", "release/*"]),
      /staging: may be used from branch main, branch release\/\*/,
    ],
    [
      "one for whatever is protected",
      settings("ephemeral", [], [], { protected_branches: true, custom_branch_policies: false }),
      /ephemeral: may be used from/,
    ],
    ["one that waits for nobody", settings("production", []), /production: waits for nobody/],
    [
      "reviewers that are none",
      settings("production", [{ ...reviewers, reviewers: [] }]),
      /production: waits for nobody/,
    ],
  ] as [string, Answers, RegExp][])(
    "refuses %s in GitHub's settings",
    async (_, change, message) => {
      const { exitCode, stdout, stderr } = await read(environments, { ...good, ...change });
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
      expect(stderr).toMatch(message);
    },
  );
});

describe("ssh-agent.sh", () => {
  const place = mkdtempSync(join(tmpdir(), "agent-"));
  afterAll(() => rmSync(place, { recursive: true }));
  const script = join(root, ".github/scripts/ssh-agent.sh");
  const file = (name: string) => join(place, name);
  // Without what other tests put before it.
  const PATH = (process.env.PATH ?? "")
    .split(":")
    .filter((part) => !part.includes("agent-with"))
    .join(":");

  async function makeKey(name: string) {
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file(name)]);
    const { stdout } = await execa("ssh-keygen", ["-l", "-f", file(name)]);
    return { key: readFileSync(file(name), "utf8"), print: stdout.split(" ")[1] ?? "" };
  }
  async function start(SSH_KEY: string, SSH_KEY_FINGERPRINT: string, more = {}) {
    writeFileSync(file("env"), "");
    const result = await execa(script, ["start"], {
      reject: false,
      env: { PATH, SSH_KEY, SSH_KEY_FINGERPRINT, GITHUB_ENV: file("env"), ...more },
    });
    const agent = Object.fromEntries(
      readFileSync(file("env"), "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => line.split("=") as [string, string]),
    );
    return { ...result, agent };
  }
  /** 0: it holds a key; 1: it holds none; 2: there is no agent. */
  const list = (agent: Record<string, string>) =>
    execa("ssh-add", ["-l"], { env: { PATH, ...agent }, reject: false });
  /** It ends after the signal that it is sent. */
  const ended = (agent: Record<string, string>) =>
    expect.poll(async () => (await list(agent)).exitCode).toBe(2);

  it("holds the key for a time, and ends when it is stopped", async () => {
    const { key: secret, print } = await makeKey("own");
    const { exitCode, agent } = await start(secret, print, { SSH_KEY_SECONDS: "10" });
    expect(exitCode).toBe(0);
    expect((await list(agent)).stdout).toContain(print);
    // The agent lives on, the key does not: what outlives a job that was killed holds nothing.
    await expect.poll(async () => (await list(agent)).exitCode).toBe(1);
    expect((await execa(script, ["stop"], { env: agent })).exitCode).toBe(0);
    await ended(agent);
  });

  it("refuses another environment's key, and leaves no agent", async () => {
    const [own, other] = [await makeKey("mine"), await makeKey("theirs")];
    const { exitCode, stderr, agent } = await start(other.key, own.print);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`its fingerprint is ${other.print}`);
    await ended(agent);
  });

  it.each(["", "-----BEGIN NOTHING-----"])("refuses %j", async (text) => {
    const { exitCode, agent } = await start(text, key("x"));
    expect(exitCode).not.toBe(0);
    await execa(script, ["stop"], { env: agent });
  });

  it("stop has nothing to do where nothing was started", async () => {
    const { exitCode } = await execa(script, ["stop"], { env: { SSH_AGENT_PID: "" } });
    expect(exitCode).toBe(0);
  });
});
