import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Cluster } from "../../verify/cluster.ts";
import { promises } from "../../verify/promises.ts";
import { type Proof, pass, type Verdict } from "../../verify/proof.ts";
import { kubeProxyProof } from "../../verify/proofs/kube-proxy.ts";
import { exitCode, type Row } from "../../verify/run.ts";
import { run, stopTime } from "./virtual.ts";

/** Virtual time: what takes minutes on a cluster takes moments here. */
beforeEach(stopTime);
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const proofOf = (prove: (cluster: Cluster) => Promise<Verdict>, limitSeconds?: number): Proof => ({
  ...{ promise: "a promise", proof: "its proof", fix: "repair it", prove },
  ...(limitSeconds ? { limitSeconds } : {}),
});

/** A distant network: five round trips of 80 ms and the key exchange, then one; kubectl asks for a certificate first. */
const slow = { connection: 0.6, session: 0.2, kubectl: 1.2 };

const never = () => new Promise<never>(() => {});

describe("a hundred nodes", () => {
  it("are proven in less than two minutes, with bounded parallelism", {
    timeout: 300_000,
  }, async () => {
    const { rows, seconds, load, config } = await run(promises, {
      nodes: 100,
      seconds: slow,
    });
    expect(rows.filter(({ verdict }) => verdict === "fail")).toEqual([]);
    expect(rows).toHaveLength(promises.length);
    expect(seconds).toBeLessThan(120);
    expect(load.total).toBeGreaterThan(100 * 15);
    expect(load.most).toBeLessThanOrEqual(config.verify.parallelism + 8);
    expect(load.most).toBeGreaterThanOrEqual(config.verify.parallelism);
    expect(load.mostOnOneNode).toBeLessThanOrEqual(8);
    expect(load.kubectl).toBeLessThanOrEqual(4);
  });

  it("that say the same make a reading that a person reads", { timeout: 300_000 }, async () => {
    const { rows } = await run(promises.slice(0, promises.indexOf(kubeProxyProof) + 1), {
      nodes: 100,
      sick: [["iptables-save", "1 in iptables-save"]],
    });
    const reading = rows.find(({ verdict }) => verdict === "fail")?.reading ?? "";
    expect(reading).toMatch(/^node-0: 1 in iptables-save; .*; and 88 more$/);
  });
});

it("a node that does not answer makes its proofs fail, and names itself", async () => {
  const { rows } = await run(promises, {
    sick: [["ip -o link show type", (node) => (node === "node-2" ? new Error("lost") : "")]],
  });
  const red = rows.filter(({ verdict }) => verdict === "fail");
  expect(red).toMatchObject([{ verdict: "fail", reading: "node-2: lost" }]);
});

describe("time", () => {
  it("a proof that does not end fails when its time is over, and the others are reported", async () => {
    const { rows, seconds } = await run([
      proofOf(never, 20),
      proofOf(async () => pass("all well")),
    ]);
    expect(rows).toMatchObject([
      { verdict: "fail", reading: "no answer within 20 s", seconds: 20 },
      { verdict: "pass", reading: "all well" },
    ]);
    expect(seconds).toBeLessThan(25);
  });

  it("what fails because its time is over is not mistaken for a finding", async () => {
    const late = proofOf(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new Error("ssh: killed")));
        }),
      10,
    );
    const { rows } = await run([late]);
    expect(rows).toMatchObject([{ verdict: "fail", reading: "no answer within 10 s" }]);
  });

  it("those who did not answer in time are named, also where another proof asked them", async () => {
    const shared = ({ once }: Cluster) =>
      once("an answer", (cluster) => cluster.onNode("node-1", "hang")).then(() => pass("never"));
    const { rows } = await run(
      [
        proofOf(shared, 10),
        proofOf(shared, 20),
        proofOf(async ({ kubectl }) => pass(await kubectl("hang")), 10),
        proofOf(async (cluster) => {
          const { nodes } = cluster;
          await Promise.all(nodes.map((node) => cluster.onNode(node, "hang")));
          return pass("never");
        }, 10),
      ],
      { nodes: 7, seconds: slow, sick: [["hang", "", 3600]] },
    );
    const five = ["node-0", "node-1", "node-2", "node-3", "node-4"].join(", ");
    expect(rows).toMatchObject([
      { verdict: "fail", reading: "no answer within 10 s from node-1" },
      { verdict: "fail", reading: "no answer within 20 s from node-1" },
      { verdict: "fail", reading: "no answer within 10 s from the API server" },
      { verdict: "fail", reading: `no answer within 10 s from ${five}, 2 more` },
    ]);
  });

  it("an interruption ends everything, and what was made is removed", async () => {
    const interrupted = new AbortController();
    setTimeout(() => interrupted.abort(), 3000);
    const { rows, seconds, asked } = await run([proofOf(never)], {}, interrupted.signal);
    expect(rows).toMatchObject([{ verdict: "fail", reading: "interrupted" }]);
    expect(seconds).toBeLessThan(5);
    expect(asked.filter((question) => question.includes("delete namespace"))).toHaveLength(2);
  });
});

describe("what was made", () => {
  it("is removed before the first proof and after the last, on every node and in the cluster", async () => {
    const { asked } = await run([
      proofOf(async ({ onNode }) => pass(await onNode("node-0", "ip -o link show type"))),
    ]);
    const around = asked.findIndex((question) => question.includes("ip -o link show type"));
    for (const part of [asked.slice(0, around), asked.slice(around + 1)]) {
      expect(part.filter((question) => question.includes("delete namespace"))).toHaveLength(1);
      expect(part.filter((question) => question.includes("systemctl stop"))).toHaveLength(3);
      expect(part).toHaveLength(4);
    }
  });

  it("is removed where a proof threw", async () => {
    const { rows, asked } = await run([proofOf(() => Promise.reject(new Error("no such pod")))]);
    expect(rows).toMatchObject([{ verdict: "fail", reading: "no such pod" }]);
    expect(asked.filter((question) => question.includes("delete namespace"))).toHaveLength(2);
  });

  it("and cannot be removed is reported, and hides no verdict", async () => {
    const printed = vi.spyOn(console, "error").mockImplementation(() => {});
    const { rows } = await run([proofOf(async () => pass("all well"))], {
      sick: [["delete namespace", new Error("the API server is down")]],
    });
    expect(rows).toMatchObject([{ verdict: "pass" }]);
    expect(printed.mock.calls.flat().join()).toContain("was not removed: the API server is down");
  });

  it("several proofs share is made once", async () => {
    const { asked } = await run(promises);
    const pods = asked.filter((question) => question.includes('"kind":"Pod"'));
    expect(pods).toHaveLength(1);
  });
});

describe("the exit code", () => {
  const row = (verdict: Row["verdict"]): Row => ({
    ...{ promise: "p", proof: "q", fix: "f", answered: true, reading: "r", seconds: 1, verdict },
  });
  it.each<[Row["verdict"][], number]>([
    [["pass", "pass"], 0],
    [["pass", "not enabled"], 0],
    [["not enabled"], 0],
    [["not enabled", "pass", "not proved"], 4],
    [["not proved", "fail", "pass"], 3],
    [[], 4],
  ])("of %j is %i", (verdicts, code) => {
    expect(exitCode(verdicts.map(row))).toBe(code);
  });
});
