import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { NodeAnswer } from "../../commands/status/answer.ts";
import { assess, type Known } from "../../commands/status/assess.ts";
import { formatStatus } from "../../commands/status.ts";
import { renderStep } from "../../plan/step.ts";
import { markerOf } from "../../steps/bundle.ts";
import { root } from "../root.ts";
import { configOf, planOf, stackFiles } from "../stacks.ts";
import { runProcess } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "status-"));
afterAll(() => rmSync(folder, { recursive: true }));

const config = configOf("articles");
const plan = planOf("articles");
const now = new Date("2026-11-26T12:00:00Z");
const day = 86_400_000;

/** What a node of a healthy cluster says. */
function answer(name: string): NodeAnswer {
  const node = plan.nodes.find((one) => one.name === name);
  const documents = Object.values(node?.steps ?? {});
  const isControlPlane = node?.role === "control-plane";
  const version = `v${config.kubernetes.version}`;
  const object = (name: string) => ({
    metadata: { name },
    spec: {},
    status: {
      nodeInfo: { kubeletVersion: version, containerRuntimeVersion: "containerd://2" },
      conditions: [{ type: "Ready", status: "True" }],
    },
  });
  return {
    steps: new Map(documents.map((document) => [document.step, markerOf(document)])),
    certificates: [{ path: "/etc/kubernetes/pki/a.crt", expires: new Date(+now + 200 * day) }],
    ...(isControlPlane
      ? {
          etcd: "14841639068965178418",
          backup: { lastSuccess: +now / 1000 - 600 },
          nodes: plan.nodes.map(({ name }) => object(name)),
          cilium: {
            ...{ "routing-mode": "native", "kube-proxy-replacement": "true" },
            "bpf-lb-mode": config.cilium.loadBalancer.mode,
          },
        }
      : {}),
  };
}

function known(change: (answers: Map<string, NodeAnswer | string>) => void = () => {}): Known {
  const answers = new Map<string, NodeAnswer | string>(
    plan.nodes.map(({ name }) => [name, answer(name)]),
  );
  change(answers);
  const rows = [{ promise: "DSR", verdict: "pass" as const, answered: true }];
  return { config, plan, answers, now, proved: { at: new Date(+now - 3_600_000 * 3), rows } };
}

const of = (name: string, answers: Map<string, NodeAnswer | string>) =>
  answers.get(name) as NodeAnswer;

describe("the status", () => {
  it("of a healthy cluster is one screen, and all good", () => {
    const lines = assess(known());
    expect(lines.filter(({ state }) => state !== "good")).toEqual([]);
    const text = formatStatus("oslo-dev", plan.endpoint, lines);
    expect(text.split("\n").length).toBeLessThanOrEqual(24);
    expect(text).toContain("✓ certificates  200 days left");
    expect(text).toContain("✓ backup        the last 10 min ago");
    expect(text).toContain("proved 3 h ago from this machine: 1 passed");
  });

  it("what a node says rewrites no line of the terminal", () => {
    const says = "\u001b[2Kall is well";
    const text = formatStatus("oslo-dev", plan.endpoint, [{ what: "backup", state: "bad", says }]);
    expect(text).toContain("\\u{1b}[2Kall is well");
    expect(text).not.toContain(says);
  });

  it.each<[boolean, string, RegExp]>([
    [true, "bad", /: 0 passed; broken: DSR$/],
    [false, "open", /: 0 passed; without an answer: DSR$/],
  ])("of a promise that failed, answered: %s", (answered, state, says) => {
    const rows = [{ promise: "DSR", verdict: "fail" as const, answered }];
    const lines = assess({ ...known(), proved: { at: now, rows } });
    expect(lines.find(({ what }) => what === "promises")).toMatchObject({
      state,
      says: expect.stringMatching(says),
    });
  });

  it("of machines that are all silent claims nothing of them", () => {
    const lines = assess(known((all) => all.forEach((_, name) => void all.set(name, "timed out"))));
    expect(lines.find(({ what }) => what === "steps")).toEqual({
      what: "steps",
      state: "open",
      says: "no machine answers",
    });
  });

  it.each<[string, string, "bad" | "open" | "off", RegExp, Parameters<typeof known>[0]]>([
    [
      "a dead machine",
      "machines",
      "open",
      /^1 of 3 do not answer: worker-1: timed out$/,
      (all) => all.set("worker-1", "timed out"),
    ],
    [
      "a machine that had not said all in time",
      "machines",
      "open",
      /^3 answer; not all in time: worker-1$/,
      (all) => all.set("worker-1", { isCut: true }),
    ],
    [
      "a node that is not Ready",
      "nodes",
      "bad",
      /^2 of 3 Ready: worker-2 is not Ready$/,
      (all) =>
        Object.assign(of("cp-1", all).nodes?.[2]?.status.conditions[0] ?? {}, { status: "False" }),
    ],
    [
      "another kubelet",
      "versions",
      "bad",
      /another kubelet: cp-1 v1\.0\.0$/,
      (all) =>
        Object.assign(of("cp-1", all).nodes?.[0]?.status.nodeInfo ?? {}, {
          kubeletVersion: "v1.0.0",
        }),
    ],
    ["no API server", "nodes", "open", /no control plane/, (all) => delete of("cp-1", all).nodes],
    [
      "a wiped disk",
      "etcd",
      "bad",
      /^0 of 1 members answer: cp-1 has lost its data: replace it$/,
      (all) => Object.assign(of("cp-1", all), { etcd: "lost" }),
    ],
    [
      "the wrong mode",
      "modes",
      "bad",
      /load balancer random$/,
      (all) => Object.assign(of("cp-1", all).cilium ?? {}, { "bpf-lb-mode": "random" }),
    ],
    [
      "a step of another plan",
      "steps",
      "bad",
      /^not what the plan has: worker-1 \(kernel\); pulumi up/,
      (all) => of("worker-1", all).steps?.set("kernel", "0123"),
    ],
    [
      "a step that never ran",
      "steps",
      "bad",
      /cp-1 \(kubelet\)/,
      (all) => of("cp-1", all).steps?.delete("kubelet"),
    ],
    [
      "a certificate of ten days, where a kubelet would renew its own before",
      "certificates",
      "bad",
      /^10 days left: \/etc\/x on cp-1$/,
      (all) =>
        of("cp-1", all).certificates?.push({ path: "/etc/x", expires: new Date(+now + 10 * day) }),
    ],
    [
      "a failed backup",
      "backup",
      "bad",
      /^the last 10 min ago; no space$/,
      (all) => Object.assign(of("cp-1", all).backup ?? {}, { error: "no space" }),
    ],
    [
      "no backup",
      "backup",
      "off",
      /^not enabled: backup.targets is empty$/,
      (all) => delete of("cp-1", all).backup,
    ],
  ])("tells %s", (_, what, state, says, change) => {
    const lines = assess(known(change));
    expect(lines.find((line) => line.what === what)).toEqual({
      what,
      state,
      says: expect.stringMatching(says),
    });
    expect(
      lines.filter((line) => line.what !== what && line.state !== "good").map((l) => l.what),
    ).toEqual(what === "nodes" && state === "open" ? [] : []);
  });

  it.each([
    [20, "good"],
    [4, "bad"],
  ])(
    "of a certificate that ends in %i minutes, where all live for an hour: %s",
    (minutes, state) => {
      const { config, ...rest } = known((all) =>
        of("cp-1", all).certificates?.push({
          path: "/a",
          expires: new Date(+now + minutes * 60_000),
        }),
      );
      const certificates = { validity: "1h", renewBefore: "30m" };
      const kubernetes = { ...config.kubernetes, certificates };
      const lines = assess({ ...rest, config: { ...config, kubernetes } });
      expect(lines.find(({ what }) => what === "certificates")).toMatchObject({
        ...{ state, says: `${minutes} min left: /a on cp-1` },
      });
    },
  );

  it("misses a backup where the stack has a target for it", () => {
    const { answers, ...rest } = known((all) => delete of("cp-1", all).backup);
    const targets = [{ name: "vault" }] as typeof config.backup.targets;
    const backup = { ...config.backup, targets };
    const line = assess({ ...rest, answers, config: { ...config, backup } }).find(
      ({ what }) => what === "backup",
    );
    expect(line).toMatchObject({ state: "open", says: "no machine makes one" });
  });

  it("names a member of etcd that began a cluster of its own, and one that does not answer", () => {
    const three = { ...known(), plan: { ...plan, nodes: [...plan.nodes] } };
    const [first] = plan.nodes;
    if (first === undefined) throw new Error("no node");
    const answers = new Map(three.answers);
    for (const name of ["cp-2", "cp-3"]) {
      three.plan.nodes.push({ ...first, name });
      answers.set(name, answer("cp-1"));
    }
    const line = () => assess({ ...three, answers }).find(({ what }) => what === "etcd");
    expect(line()).toMatchObject({ state: "good", says: "3 of 3 members answer, in one cluster" });
    answers.set("cp-1", { ...answer("cp-1"), etcd: "7" });
    expect(line()).toMatchObject({
      state: "bad",
      says: expect.stringMatching(
        /^3 of 3 .*: cp-1 is in cluster 7 and cp-2, cp-3 in 1484.*replace it$/,
      ),
    });
    answers.set("cp-1", { ...answer("cp-1"), etcd: "0" });
    expect(line()).toMatchObject({
      state: "bad",
      says: "2 of 3 members answer: cp-1 does not answer",
    });
  });

  it("of hosts that accept and say nothing ends all the same, and says so: exit 4", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const file = join(folder, "Pulumi.dead.yaml");
    const text = readFileSync(stackFiles.articles, "utf8");
    writeFileSync(
      file,
      text.replaceAll(/^ {10}host: .*/gm, `          host: 127.0.0.1\n          port: ${port}`),
    );
    const { exitCode, stdout } = await runProcess("status", file);
    silent.close();
    expect(stdout).toMatch(/3 of 3 do not answer: cp-1: nothing within 4 s/);
    expect(exitCode).toBe(4);
  });
});

// On a busy machine one try may be over before a node has said anything.
it("what a node says in time counts, whatever it does not say", { retry: 2 }, async () => {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const says = "case $* in *'bash -s'*) echo etcd lost; exec sleep 60 ;; esac";
  writeFileSync(join(bin, "ssh"), `#!/bin/sh\n${says}\n`, { mode: 0o755 });
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv("PATH", `${bin}:${process.env.PATH}`);
  const { stdout, exitCode } = await runProcess("status", stackFiles.articles);
  expect(stdout).toContain("cp-1 has lost its data");
  expect(stdout).toMatch(/3 answer; not all in time: cp-1; worker-1; worker-2/);
  expect(exitCode).toBe(3);
});

it("a marker is what oslo-step computes of document and scripts", async () => {
  const [, line = ""] =
    readFileSync(join(root, "steps/oslo-step"), "utf8").match(/^ +(hash=\$\(sed .*\))$/m) ?? [];
  const [, scripts = ""] =
    readFileSync(join(root, "steps/oslo-step"), "utf8").match(/^ +(mapfile -t scripts .*)$/m) ?? [];
  expect([line, scripts]).not.toContain("");
  for (const document of Object.values(plan.nodes[0]?.steps ?? {})) {
    const script = `lib=$PWD/steps step=${document.step} incoming=$1
${scripts}
scripts=("$step.sh" lib.sh "\${scripts[@]}")
${line}
echo "$hash"`;
    const incoming = mkdtempSync(join(folder, "incoming-"));
    writeFileSync(join(incoming, "document"), renderStep(document));
    const { stdout } = await execa("bash", ["-c", script, "bash", incoming], { cwd: root });
    expect(stdout).toBe(markerOf(document));
  }
});
