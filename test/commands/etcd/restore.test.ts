import { describe, expect, it } from "vitest";
import { type State, untouched } from "../../../commands/etcd/decide.ts";
import type { Machine } from "../../../commands/etcd/machines.ts";
import { carryOut, planRestore, type RestoreOptions } from "../../../commands/etcd/restore.ts";
import { loadConfig } from "../../../config/load.ts";
import { type NodePlan, plan } from "../../../plan/plan.ts";
import { node, stack } from "../../stack.ts";

const uid = "11111111-1111-1111-1111-111111111111";
const controlPlanes = [0, 1, 2].map((number) => node(number, "control-plane"));
const config = loadConfig(
  stack({ "nodes.existing": [...controlPlanes, node(3, "worker")] }),
  "test.yaml",
);
const clusterPlan = plan(config);
const planes = controlPlanes.map(({ name }) => name);

const survivor: State = {
  ...untouched,
  ...{ made: true, member: true, prepared: true, data: true },
  ...{ uid, knownUid: uid, revision: 500, ca: "ca" },
};
const wiped: State = { ...survivor, data: false, uid: "", revision: 0 };
const fresh: State = { ...untouched, prepared: true };

/** Machines, with what the nodes' scripts do to their state. */
class Simulation {
  readonly calls: string[] = [];
  readonly silent = new Set<string>();
  readonly ca = new Map<string, string>();
  /** Revisions of snapshots that hold more than the database. */
  readonly saved = new Map<State, number>();
  /** The call of this number does not come to its work. */
  cut = 0;
  readonly states: Map<string, State>;

  constructor(states: State[]) {
    this.states = new Map(states.map((state, i) => [`node-${i}`, state]));
  }

  readonly machines = async (_: unknown, role: NodePlan["role"]): Promise<Machine[]> =>
    clusterPlan.nodes.filter((one) => one.role === role).map((one) => this.machine(one));

  async restore(options: Partial<RestoreOptions> = {}): Promise<string[]> {
    const said: string[] = [];
    const all = { gone: [], ...options };
    const restoration = await planRestore(config, clusterPlan, all, this.machines);
    await carryOut(restoration, (line) => said.push(line));
    return said;
  }

  private machine(node: NodePlan): Machine {
    const { name } = node;
    const call = async (words: string, does: (state: State) => Partial<State> = () => ({})) => {
      this.calls.push(`${name}: ${words}`);
      if (this.silent.has(name) || this.calls.length === this.cut)
        throw new Error("no route to host");
      const state = this.states.get(name) ?? untouched;
      this.states.set(name, { ...state, ...does(state) });
      return "";
    };
    return {
      ...{ name, node, claim: async () => {} },
      command: (line) => [line],
      shell: async (line) => {
        if (this.silent.has(name)) throw new Error("no route to host");
        if (line.includes("restore.sh state")) return JSON.stringify(this.states.get(name));
        if (line.includes("sha256sum")) return this.ca.get(name) ?? "ca";
        return call(line);
      },
      run: (_, ...words) => call(words.join(" "), (state) => this.after(words[0] ?? "", state)),
      send: () => call("send"),
      feed: (_, __, ...words) => call(words.join(" ")),
      step: async (words, input = "") => {
        await call(words, ({ phase }) => {
          if (!words.startsWith("run")) return {};
          const joins = input.includes("\n  TOKEN: ");
          return { ...survivor, quorum: true, phase: joins ? phase : "seeded" };
        });
        return words.startsWith("mint-join") && input === "" ? "secrets:\n  TOKEN: x\n" : "";
      },
    };
  }

  private after(word: string, state: State): Partial<State> {
    const others = [...this.states.values()].filter((one) => one !== state && one.made);
    switch (word) {
      case "salvage":
        return { revision: this.saved.get(state) ?? state.revision };
      case "stop":
        return { phase: "stopped", data: false, member: false, quorum: false };
      case "apply":
        // Two clusters at once would be the end of one of them.
        expect(others.filter(({ phase }) => phase === "none")).toEqual([]);
        return { phase: "serving", data: true, quorum: true, uid };
      case "begun":
        return { phase: "serving" };
      case "finish":
        return { phase: "none" };
      default:
        return {};
    }
  }
}

const fromCopy = { source: { file: "copy.age", identity: "operator.key" } };
const ways: [string, State[], Partial<RestoreOptions>][] = [
  ["from a survivor", [wiped, survivor, wiped], {}],
  ["from a copy", [wiped, wiped, wiped], fromCopy],
  ["on new machines", [fresh, fresh, fresh], fromCopy],
];

describe("a restore of three control planes", () => {
  it("saves, stops the others, restores one, joins the others and restarts what remembers", async () => {
    const simulation = new Simulation([wiped, survivor, wiped]);
    await simulation.restore();
    const joined = (name: string, address: string) => [
      `node-1: forget ${name}`,
      `node-1: mint-join control-plane ${name} https://${address}:2380`,
      `${name}: run control-plane`,
      `node-1: mint-join control-plane ${name} https://${address}:2380`,
    ];
    expect(simulation.calls).toEqual([
      "node-1: salvage",
      "node-0: stop",
      "node-2: stop",
      "node-1: apply survivor",
      ...joined("node-0", "10.10.0.11"),
      ...joined("node-2", "10.10.0.13"),
      "node-3: systemctl restart kubelet",
      "node-1: relist",
      "node-0: finish",
      "node-2: finish",
      "node-1: finish",
    ]);
  });

  it.each(ways)("%s: cut off at any call, it is taken up", async (_, before, options) => {
    const whole = new Simulation(before);
    await whole.restore(options);
    for (let call = 1; call <= whole.calls.length; call++) {
      const simulation = new Simulation(before);
      simulation.cut = call;
      await simulation.restore(options).catch(() => {});
      simulation.cut = 0;
      const unfinished = planes.some((name) => simulation.states.get(name)?.phase !== "none");
      const lost = planes.some((name) => !simulation.states.get(name)?.quorum);
      if (unfinished || lost) await simulation.restore(options);
      const what = `cut at call ${call}:\n${simulation.calls.join("\n")}`;
      for (const name of planes)
        expect(simulation.states.get(name), what).toMatchObject({
          ...{ phase: "none", member: true, quorum: true, data: true },
        });
      const begun = simulation.calls.filter((line) => /: (apply|begun)/.test(line));
      expect(new Set(begun.map((line) => line.split(":")[0])).size, what).toBe(1);
    }
  });

  it("chooses again where a log makes another survivor the newest", async () => {
    const other = { ...survivor, revision: 499 };
    const simulation = new Simulation([survivor, other, wiped]);
    simulation.saved.set(other, 505);
    await expect(simulation.restore()).rejects.toThrow(
      "what node-1 has saved is newer, revision 505 and not 500: run the same command again",
    );
    expect(simulation.calls).toEqual(["node-0: salvage", "node-1: salvage"]);
    await simulation.restore();
    expect(simulation.calls).toContain("node-1: apply survivor");
  });

  it("is refused whole where a control plane is silent, and continues without it where it is gone", async () => {
    const simulation = new Simulation([wiped, survivor, untouched]);
    simulation.silent.add("node-2");
    await expect(simulation.restore()).rejects.toThrow(
      /these control planes do not answer, and may have the cluster's data:\n {2}node-2: no route to host\n.*--gone NAME/,
    );
    expect(simulation.calls).toEqual([]);
    await simulation.restore({ gone: ["node-2"] });
    expect(simulation.calls.filter((line) => line.startsWith("node-2"))).toEqual([]);
    await expect(simulation.restore({ gone: ["node-9"] })).rejects.toThrow(
      /--gone node-9: no such control plane; the stack has node-0, node-1, node-2/,
    );
  });

  it("names a worker of another CA, and one that does not answer", async () => {
    const strange = new Simulation([wiped, survivor, wiped]);
    strange.ca.set("node-3", "another");
    expect((await strange.restore()).join("\n")).toMatch(
      /its CA is of another cluster.*take it out/,
    );
    expect(strange.calls).not.toContain("node-3: systemctl restart kubelet");
    const silent = new Simulation([wiped, survivor, wiped]);
    silent.silent.add("node-3");
    expect((await silent.restore()).join("\n")).toContain("not restarted: no route to host");
  });
});
