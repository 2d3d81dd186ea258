import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { agreedToCut } from "../../commands/verify/failover.ts";
import type { ConfigInput } from "../../config/schema.ts";
import { Answers } from "../../verify/failover/gaps.ts";
import { cuts, exitCodeOf, failover, formatLoss, type Loss } from "../../verify/failover.ts";
import type { Transport } from "../../verify/transport.ts";
import { simulated } from "./simulated.ts";
import { stopTime } from "./virtual.ts";

beforeEach(stopTime);
afterEach(() => {
  vi.useRealTimers();
});

const three = (config: ConfigInput) => {
  for (const node of config.nodes.existing ?? []) {
    if (node.name !== "node-3") node.role = "control-plane";
  }
};

interface World {
  /** Seconds for which a node's balancer answers nobody after a cut. */
  gapOf?: (node: string, cut: string) => number;
  health?: (node: string) => string;
  /** Called as a control plane is cut. */
  onCut?: () => void;
}

/** Three control planes and a worker, whose balancers answer ten times a second but for a while after each cut. */
function world({ gapOf = () => 2, health = () => "ok", onCut }: World = {}) {
  const { config, plan, transport, asked } = simulated({ nodes: 4, vary: three });
  const seconds = () => performance.now() / 1000;
  const calls: string[] = [];
  let cut: { what: string; at: number } | undefined;
  const cutting: Transport = {
    ...transport,
    onNode: async (node, script, signal) => {
      const [, what = "", act = ""] = script.match(/^WHAT=(\w+) DO=(\w+)/) ?? [];
      if (act !== "") {
        calls.push(`${act} ${what} of ${node}`);
        cut = act === "cut" ? { what, at: seconds() } : undefined;
        if (act === "cut") onCut?.();
        return "";
      }
      if (script.includes("etcd_members")) return health(node);
      return transport.onNode(node, script, signal);
    },
    follow: async (node, _, signal, onLine) => {
      while (!signal.aborted) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        onLine(`${seconds()} alive`);
        const lost = cut !== undefined && seconds() - cut.at < gapOf(node, cut.what);
        if (!lost) for (const kind of ["read", "write"]) onLine(`${seconds()} ${kind}`);
      }
    },
    kubectl: async (args, signal, input) =>
      args.includes("token") ? "a-token" : transport.kubectl(args, signal, input),
  };
  return { config, plan, transport: cutting, calls, asked };
}

async function run(made: ReturnType<typeof world>, signal = new AbortController().signal) {
  let result: { losses: Loss[] } | { error: Error } | undefined;
  void failover(made.config, made.plan, made.transport, { signal }).then(
    (losses) => {
      result = { losses };
    },
    (error) => {
      result = { error };
    },
  );
  while (result === undefined) await vi.advanceTimersByTimeAsync(100);
  return result;
}

const lossesOf = (result: Awaited<ReturnType<typeof run>>) => {
  if ("error" in result) throw result.error;
  return result.losses;
};

describe("a failover", () => {
  it("cuts every control plane in each way, one at a time, and takes each cut back", async () => {
    const made = world();
    const losses = lossesOf(await run(made));
    const expected = ["node-0", "node-1", "node-2"].flatMap((node) =>
      Object.keys(cuts).flatMap((what) => [`cut ${what} of ${node}`, `back ${what} of ${node}`]),
    );
    expect(made.calls).toEqual(expected);
    expect(losses).toHaveLength(6);
    for (const { gaps, notReady } of losses) {
      expect(Object.keys(gaps)).toEqual(["node-0", "node-1", "node-2", "node-3"]);
      expect(notReady).toEqual([]);
      for (const { read, write } of Object.values(gaps)) {
        expect(read).toBeGreaterThanOrEqual(1.9);
        expect(read).toBeLessThan(2.5);
        expect(write).toBe(read);
      }
    }
    expect(exitCodeOf(losses)).toBe(0);
    expect(formatLoss(losses[0] as Loss)).toMatch(
      /^✓ node-0: its API server hangs: without an answer at most reads 2\.\d s \(node-\d\), writes 2/,
    );
  });

  it("that one node's clients lose too much by is said, with the node: exit 3", async () => {
    const slow = world({ gapOf: (node, what) => (node === "node-3" && what === "api" ? 9 : 1) });
    const losses = lossesOf(await run(slow));
    expect(exitCodeOf(losses)).toBe(3);
    expect(formatLoss(losses[0] as Loss)).toMatch(
      /^✗ node-0: .* reads 9\.\d s \(node-3\), writes 9/,
    );
    expect(formatLoss(losses[1] as Loss)).toMatch(/^✓/);
  });

  it("whose answers never return is no short gap", async () => {
    const losses = lossesOf(await run(world({ gapOf: () => 99 })));
    expect(exitCodeOf(losses)).toBe(3);
    for (const { gaps } of losses) expect(gaps["node-3"]?.read).toBeGreaterThan(14);
  });

  it("is refused where the cluster is not whole, and nothing is cut", async () => {
    const sick = world({
      health: (node) => (node === "node-1" ? "its etcd does not answer" : "ok"),
    });
    expect(await run(sick)).toEqual({
      error: new Error("the cluster is not whole: node-1: its etcd does not answer"),
    });
    expect(sick.calls).toEqual([]);
  });

  it("that is interrupted takes its cut back", async () => {
    const controller = new AbortController();
    const made = world({ onCut: () => controller.abort() });
    expect(await run(made, controller.signal)).toHaveProperty("error");
    expect(made.calls).toEqual(["cut api of node-0", "back api of node-0"]);
  });

  it("keeps its token out of every argument", async () => {
    const made = world();
    await run(made);
    expect(made.asked.filter((question) => question.includes("a-token"))).toEqual([]);
  });
});

it("gaps are of the node's own clock, and count until it asked last", () => {
  const answers = new Answers();
  expect(answers.longest("read")).toBeUndefined();
  for (const line of ["10.0 read", "10.1 read", "13.4 read", "13.5 alive", "20.0 alive"]) {
    answers.add(line);
  }
  expect(answers.longest("read")).toBeCloseTo(6.6);
  expect(answers.longest("write")).toBeUndefined();
  expect(answers.began).toBe(false);
});

it("a node that could not be asked is not proved: exit 4", () => {
  const gaps = { "node-0": { read: null, write: 1 } };
  const loss: Loss = { controlPlane: "node-0", cut: "api", gaps, notReady: [] };
  expect(exitCodeOf([loss])).toBe(4);
  expect(formatLoss(loss)).toContain("reads not measured on node-0");
  expect(exitCodeOf([{ ...loss, notReady: ["node-1 is not Ready"] }])).toBe(3);
});

describe("the question", () => {
  const { config } = simulated({ nodes: 4, vary: three });
  const said = (text: string) => Readable.from([`${text}\n`]);

  it("wants the cluster's name", async () => {
    await agreedToCut(config, false, said("simulated"));
    await expect(agreedToCut(config, false, said("yes"))).rejects.toThrow(
      "yes is not simulated: nothing was touched",
    );
  });

  it("is not asked with --yes, nor where nobody would take over", async () => {
    await agreedToCut(config, true);
    const { config: single } = simulated({ nodes: 3 });
    await expect(agreedToCut(single, true)).rejects.toThrow("nobody takes over from it");
  });
});
