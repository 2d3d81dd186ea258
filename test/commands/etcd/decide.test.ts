import { describe, expect, it } from "vitest";
import { decide, type State, untouched, type Wish } from "../../../commands/etcd/decide.ts";

const [own, other] = [
  "11111111-1111-1111-1111-111111111111",
  "22222222-2222-2222-2222-222222222222",
];
/** A control plane that has lost the others, and holds its data. */
const survivor: State = {
  ...{ made: true, member: true, prepared: true, data: true, quorum: false },
  ...{ uid: own, knownUid: own, revision: 500, ca: "ca", phase: "none", members: 3 },
};
const wiped: State = { ...survivor, data: false, uid: "", revision: 0, members: 0 };
const asked = (...states: Partial<State>[]) =>
  states.map((state, i) => ({
    machine: { name: `cp-${i + 1}` },
    state: { ...survivor, ...state },
  }));
const vault = { from: "vault", identity: "key" };

const decision = (states: Partial<State>[], wish: Wish = {}) => {
  const { machine, from } = decide(asked(...states), wish);
  return `${machine.name} from ${from}`;
};

describe("where a restore begins, and from what", () => {
  it.each<[string, Partial<State>[], Wish, string]>([
    ["the survivor", [wiped, {}, wiped], {}, "cp-2 from survivor"],
    ["the newest of several", [{}, { revision: 700 }, wiped], {}, "cp-2 from survivor"],
    ["the copy where it is asked for", [wiped, {}, wiped], { source: vault }, "cp-2 from copy"],
    [
      "any that was made",
      [untouched, wiped, wiped],
      { source: { file: "x", identity: "key" } },
      "cp-2 from copy",
    ],
    [
      "what an earlier run has saved",
      [wiped, { ...wiped, uid: own, revision: 500 }, wiped],
      {},
      "cp-2 from survivor",
    ],
    [
      "a new machine that is prepared",
      [untouched, { ...untouched, prepared: true }],
      { source: vault },
      "cp-2 from copy",
    ],
    [
      "not the one that came back empty",
      [{ uid: other, quorum: true }, {}],
      {},
      "cp-2 from survivor",
    ],
    [
      "a living cluster, by its UID",
      [{ quorum: true }, { quorum: true }],
      { source: vault, replace: own },
      "cp-1 from copy",
    ],
  ])("%s", (_, states, wish, wanted) => {
    expect(decision(states, wish)).toBe(wanted);
  });
});

describe("a run that was killed is taken up", () => {
  it.each<[string, Partial<State>[], Wish, string]>([
    [
      "where the data is in place, whatever is asked for now",
      [{ revision: 900 }, { phase: "restored" }],
      { source: vault },
      "cp-2 from survivor",
    ],
    [
      "where a new machine has its copy",
      [{ ...untouched, made: true, quorum: true, uid: own, phase: "seeded" }, untouched],
      { source: vault },
      "cp-1 from copy",
    ],
    [
      "where it answers: the others join",
      [
        { ...wiped, phase: "stopped" },
        { phase: "serving", quorum: true },
      ],
      {},
      "cp-2 from nothing",
    ],
    [
      "where the others are stopped",
      [{ phase: "stopped" }, { ...wiped, phase: "stopped" }],
      {},
      "cp-1 from survivor",
    ],
    [
      "not where it answered and is lost again",
      [wiped, { phase: "serving", revision: 1_000_000_900 }],
      {},
      "cp-2 from survivor",
    ],
  ])("%s", (_, states, wish, wanted) => {
    expect(decision(states, wish)).toBe(wanted);
  });
});

describe("refused, and nothing is touched", () => {
  it.each<[string, Partial<State>[], Wish, RegExp]>([
    [
      "where quorum lives",
      [{ quorum: true }, wiped],
      {},
      /^cp-1: etcd has quorum and serves .*\nTo bring cp-2 back: /,
    ],
    [
      "with the UID of another cluster",
      [{ quorum: true }],
      { replace: other },
      /^--replace 2222.*cp-1 serves cluster 1111/,
    ],
    [
      "where nothing is left and no copy is named",
      [wiped, wiped],
      {},
      /name a copy, --from TARGET/,
    ],
    [
      "control planes of different clusters",
      [{}, { knownUid: other, uid: other }],
      {},
      /of different clusters:\n {2}cp-1: 1111.*\n {2}cp-2: 2222/,
    ],
    [
      "the same, where only etcd knows",
      [{ knownUid: "" }, { knownUid: "", uid: other }],
      {},
      /of different clusters/,
    ],
    ["control planes of different CAs", [{}, { ca: "another" }], {}, /of different CAs/],
    [
      "machines that are not prepared",
      [untouched, untouched],
      { source: vault },
      /OSLO_CLUSTER_RESTORE=yes OSLO_CLUSTER_ABANDON=cp-1,cp-2 pulumi up/,
    ],
  ])("%s", (_, states, wish, message) => {
    expect(() => decide(asked(...states), wish)).toThrow(message);
  });
});
