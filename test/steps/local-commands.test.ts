import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test as base, beforeAll, describe, expect } from "vitest";
import { claimScript } from "../../steps/bundle.ts";
import { Graph } from "../components/graph.ts";
import { runProgram } from "../components/program.ts";
import { root } from "../root.ts";
import { planOf, stackFiles } from "../stacks.ts";
import { FakeSsh } from "./fake-ssh.ts";

/** Hands out fake ssh programs and removes them after the test. */
const test = base.extend<{ ssh: (body: string) => FakeSsh }>({
  ssh: async ({ task: _ }, use) => {
    const made: FakeSsh[] = [];
    await use((body) => {
      const fake = new FakeSsh(body);
      made.push(fake);
      return fake;
    });
    for (const fake of made) fake.remove();
  },
});

let graph: Graph;
beforeAll(async () => {
  graph = new Graph((await runProgram(stackFiles["two-nodes"])).resources);
});

describe("giving a machine back", () => {
  const release = () => graph.get("bravo-release").inputs;

  test("creates nothing", async ({ ssh }) => {
    const fake = ssh("exit 1");
    expect(await fake.run(release().create, "")).toMatchObject({ exitCode: 0 });
    expect(fake.calls()).toEqual([]);
  });

  test("runs the release script there as root, for this cluster alone", async ({ ssh }) => {
    const fake = ssh("echo released bravo");
    const { exitCode, stdout } = await fake.run(release().delete, "");
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "released bravo" });
    const [call] = fake.calls();
    expect(call?.stdin).toBe(readFileSync(join(root, "steps/release.sh"), "utf8"));
    expect(call?.arguments).toContain("operator@192.0.2.11\nsudo -n bash -s -- two-nodes\n");
    expect(call?.arguments).toContain("\n2200\n");
    expect(call?.arguments).toContain("bastion.example.no");
  });

  test("fails where the script fails, with its exit code and words", async ({ ssh }) => {
    const { exitCode, stderr } = await ssh("echo busy >&2; exit 1").run(release().delete, "");
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: "busy" });
  });

  test("of a machine that is dead says what is left there and how to go on", async ({ ssh }) => {
    const { exitCode, stderr } = await ssh("exit 255").run(release().delete, "");
    expect(exitCode).toBe(255);
    expect(stderr).toMatch(/left behind on bravo: .*does not answer.*OSLO_CLUSTER_ABANDON=bravo$/);
  });

  test.for(["bravo", "alfa,bravo", "bravo,alfa"])(
    "asks nothing of a machine that is abandoned: %s",
    async (abandoned, { ssh }) => {
      const fake = ssh("exit 255");
      const env = { OSLO_CLUSTER_ABANDON: abandoned };
      const { exitCode, stderr } = await fake.run(release().delete, "", env);
      expect(exitCode).toBe(0);
      expect(stderr).toMatch(/left behind on bravo: .*\/var\/lib\/oslo-cluster/);
      expect(fake.calls()).toEqual([]);
    },
  );

  test.for(["", "alfa", "bravo-2", "xbravo", "b*"])(
    "asks a machine that is not the abandoned one: %j",
    async (abandoned, { ssh }) => {
      const fake = ssh("exit 0");
      const env = { OSLO_CLUSTER_ABANDON: abandoned };
      expect(await fake.run(release().delete, "", env)).toMatchObject({ exitCode: 0 });
      expect(fake.calls()).toHaveLength(1);
    },
  );
});

describe("a worker that leaves", () => {
  const leave = () => graph.get("bravo-leave").inputs;

  test("is asked nothing when it joins", async ({ ssh }) => {
    const fake = ssh("exit 1");
    expect(await fake.run(leave().create, "")).toMatchObject({ exitCode: 0 });
    expect(fake.calls()).toEqual([]);
  });

  test("is drained and deleted on the control plane, as root, in the time configured", async ({
    ssh,
  }) => {
    const fake = ssh("echo node bravo has left");
    const { exitCode, stdout } = await fake.run(leave().delete, "not for ssh");
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "node bravo has left" });
    const [call] = fake.calls();
    expect(call?.stdin).toBe("");
    expect(call?.arguments).toMatch(
      /\noperator@192\.0\.2\.10\nsudo -n \/usr\/local\/lib\/oslo-cluster\/oslo-step leave bravo 45\n$/,
    );
  });

  test("stays where pods stay, with the node's own words", async ({ ssh }) => {
    const { exitCode, stderr } = await ssh("echo pods stay >&2; exit 1").run(leave().delete, "");
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: "pods stay" });
  });

  test.for([75, 124, 255])(
    "stays where the control plane does not answer (%i), and it is said how to go on",
    async (status, { ssh }) => {
      const { exitCode, stderr } = await ssh(`exit ${status}`).run(leave().delete, "");
      expect(exitCode).toBe(75);
      expect(stderr).toMatch(/^node bravo is still in the cluster .*OSLO_CLUSTER_ABANDON=alfa$/);
    },
  );

  test("has nothing to leave where no control plane has a cluster", async ({ ssh }) => {
    expect(await ssh("exit 3").run(leave().delete, "")).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("is left in the cluster where the control plane is abandoned", async ({ ssh }) => {
    const fake = ssh("exit 255");
    const gone = await fake.run(leave().delete, "", { OSLO_CLUSTER_ABANDON: "bravo,alfa" });
    expect(gone.exitCode).toBe(0);
    expect(gone.stderr).toMatch(/^left behind in the cluster: node bravo, not drained/);
    expect(fake.calls()).toEqual([]);
  });

  test("leaves also where its own machine is abandoned", async ({ ssh }) => {
    const fake = ssh("exit 0");
    await fake.run(leave().delete, "", { OSLO_CLUSTER_ABANDON: "bravo" });
    expect(fake.calls()).toHaveLength(1);
  });
});

describe("a control plane that leaves", () => {
  const leave = () => graph.get("alfa-leave").inputs;
  const member = "case $remote in *' member') exit 0 ;; *) exit 3 ;; esac";

  test("stays where no other one takes it out, and its data with it", async ({ ssh }) => {
    const fake = ssh(member);
    const { exitCode, stderr } = await fake.run(leave().delete, "");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^control plane alfa stays as it is: .*OSLO_CLUSTER_ABANDON=alfa$/);
    expect(fake.calls()[0]?.arguments).toMatch(/operator@192\.0\.2\.10\nsudo -n \S+ member\n$/);
  });

  test.for([3, 255])(
    "does so where it is in no cluster, or is dead (%i)",
    async (status, { ssh }) => {
      expect(await ssh(`exit ${status}`).run(leave().delete, "")).toMatchObject({ exitCode: 0 });
    },
  );

  test("is not asked where it is abandoned", async ({ ssh }) => {
    const fake = ssh(member);
    const result = await fake.run(leave().delete, "", { OSLO_CLUSTER_ABANDON: "alfa" });
    expect(result).toMatchObject({ exitCode: 0 });
    expect(fake.calls()).toEqual([]);
  });
});

describe("joining a worker", () => {
  const join = () => graph.get("bravo-join").inputs;
  const token = "abcdef.0123456789abcdef";
  const stranger = "case $remote in *' member') exit 3 ;;";
  const mint = `${stranger} *mint-join*) printf 'secrets:\\n  TOKEN: "${token}"\\n' ;;`;

  test("pipes what one node mints to the other, below the document", async ({ ssh }) => {
    const fake = ssh(`${mint} *) echo '{}' ;; esac`);
    const result = await fake.run(join().create, join().stdin);
    expect(result).toEqual({ exitCode: 0, stdout: "{}", stderr: "" });
    const [asked, minted, run, revoked] = fake.calls();
    expect(revoked?.arguments).toMatch(
      /operator@192\.0\.2\.10\nsudo -n \S+ mint-join worker bravo\n$/,
    );
    expect(revoked?.stdin).toBe(`secrets:\n  TOKEN: "${token}"\n`);
    expect(asked?.arguments).toMatch(/operator@192\.0\.2\.11\nsudo -n \S+ member\n$/);
    expect(minted?.arguments).toMatch(
      /operator@192\.0\.2\.10\nsudo -n \S+ mint-join worker bravo\n$/,
    );
    expect(minted?.stdin).toBe("");
    expect(run?.arguments).toMatch(/operator@192\.0\.2\.11\n.*oslo-step apply kubeadm-join\n$/);
    expect(run?.stdin).toBe(`${join().stdin.trimEnd()}\nsecrets:\n  TOKEN: "${token}"\n`);
    expect(
      fake
        .calls()
        .map((call) => call.arguments)
        .join("\n"),
    ).not.toContain(token);
  });

  test("mints nothing for a node that is a member", async ({ ssh }) => {
    const fake = ssh("case $remote in *' member') ;; *mint-join*) exit 7 ;; *) echo '{}' ;; esac");
    expect(await fake.run(join().create, join().stdin)).toMatchObject({ exitCode: 0 });
    expect(fake.calls()).toHaveLength(2);
  });

  test("does not begin on a machine that does not answer", async ({ ssh }) => {
    const fake = ssh("exit 255");
    expect(await fake.run(join().create, join().stdin)).toMatchObject({ exitCode: 255 });
    expect(fake.calls()).toHaveLength(1);
  });

  test.for([
    [1, 'SILENT: "alfa"'],
    [255, 'SILENT: "alfa"'],
    [3, 'SILENT: ""'],
  ] as const)(
    "says to the step who did not answer (%i), and the step decides",
    async ([status, said], { ssh }) => {
      const fake = ssh(`${stranger} *mint-join*) exit ${status} ;; *) echo no >&2; exit 9 ;; esac`);
      const result = await fake.run(join().create, join().stdin);
      expect(result).toEqual({ exitCode: 9, stdout: "", stderr: "no" });
      expect(fake.calls()[2]?.stdin).toContain(
        `secrets:\n  ${said}\n  KNOWN: ""\n  ABANDON: "OSLO_CLUSTER_ABANDON"\n`,
      );
    },
  );

  test("asks nothing of a control plane that is abandoned", async ({ ssh }) => {
    const fake = ssh(`${stranger} *mint-join*) exit 255 ;; esac`);
    await fake.run(join().create, join().stdin, { OSLO_CLUSTER_ABANDON: "alfa" });
    expect(fake.calls()).toHaveLength(2);
    expect(fake.calls()[1]?.stdin).toContain('secrets:\n  SILENT: ""\n');
  });

  test("that fails says its exit code, and the token to nobody", async ({ ssh }) => {
    const fake = ssh(`${mint} *) echo no >&2; exit 9 ;; esac`);
    const result = await fake.run(join().create, join().stdin);
    expect(result).toEqual({ exitCode: 9, stdout: "", stderr: "no" });
    expect(fake.calls().at(-1)?.stdin).toBe(`secrets:\n  TOKEN: "${token}"\n`);
  });
});

describe("becoming a control plane", () => {
  const become = () => graph.get("alfa-control-plane").inputs;

  test("is refused by the step where a worker knows of a cluster", async ({ ssh }) => {
    const fake = ssh("case $remote in *' member') case $* in *192.0.2.10*) exit 3 ;; esac ;; esac");
    expect(await fake.run(become().create, become().stdin)).toMatchObject({ exitCode: 0 });
    const run = fake.calls().at(-1);
    expect(run?.arguments).toMatch(/oslo-step apply operator-names control-plane\n$/);
    expect(run?.stdin).toContain('secrets:\n  SILENT: ""\n  KNOWN: "bravo"\n');
  });

  test("asks nobody where the node is one", async ({ ssh }) => {
    const fake = ssh("exit 0");
    await fake.run(become().create, become().stdin);
    expect(fake.calls()).toHaveLength(2);
  });

  test("begins a cluster where no worker knows of one", async ({ ssh }) => {
    const fake = ssh("case $remote in *' member') exit 3 ;; esac");
    await fake.run(become().create, become().stdin);
    expect(fake.calls().at(-1)?.stdin).toContain('secrets:\n  SILENT: ""\n  KNOWN: ""\n');
  });
});

describe("claiming a machine", () => {
  const claim = () => graph.get("bravo-claim").inputs;

  test("sends every script, then the documents of its first steps", async ({ ssh }) => {
    const fake = ssh("echo '{}'");
    expect(await fake.run(claim().create, claim().stdin)).toMatchObject({ exitCode: 0 });
    const [call] = fake.calls();
    expect(call?.arguments).toMatch(/\nsudo -n bash -s -- two-nodes bravo\n$/);
    expect(call?.stdin).toContain(claimScript());
    expect(call?.stdin.slice(claimScript().length)).toBe(
      `/usr/local/lib/oslo-cluster/oslo-step apply prerequisites,gate-host gate-peers <<\\OSLO_CLUSTER_END\n${claim().stdin}OSLO_CLUSTER_END\n`,
    );
  });

  test("waits for a machine that does not answer, as often as is configured", async ({ ssh }) => {
    const fake = ssh("exit 255");
    expect(await fake.run(claim().create, claim().stdin)).toMatchObject({ exitCode: 255 });
    expect(fake.calls()).toHaveLength(planOf("two-nodes").dial.attempts);
  });

  test("repeats no step that has failed", async ({ ssh }) => {
    const fake = ssh("exit 4");
    expect(await fake.run(claim().create, claim().stdin)).toMatchObject({ exitCode: 4 });
    expect(fake.calls()).toHaveLength(1);
  });
});

describe("what any control plane can answer", () => {
  const identity = () => graph.get("identity").inputs;

  test.for([3, 75, 255])("asks the next where one cannot (%i)", async (status, { ssh }) => {
    const fake = ssh(`exit ${status}`);
    const { exitCode, stderr } = await fake.run(identity().create, "");
    expect({ exitCode, stderr }).toEqual({
      exitCode: 75,
      stderr: "none of the control planes can be asked: alfa",
    });
  });

  test("is what the first one says", async ({ ssh }) => {
    const fake = ssh("echo '{}'");
    expect(await fake.run(identity().create, "")).toMatchObject({ exitCode: 0, stdout: "{}" });
    expect(fake.calls()[0]?.arguments).toMatch(/oslo-step identity\n$/);
  });

  test("fails where one has failed at it", async ({ ssh }) => {
    expect(await ssh("exit 1").run(identity().create, "")).toMatchObject({ exitCode: 1 });
  });
});
