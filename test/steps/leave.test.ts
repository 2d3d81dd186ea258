import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { test as base, describe, expect } from "vitest";
import { describeWhere } from "../needs.ts";
import { root } from "../root.ts";
import { Machine } from "./machine.ts";

/** kubectl of a cluster that is a folder: node.json, pods.json, drain (what a drain does), `unanswered`. */
const kubectl = `#!/bin/bash
cluster=$MACHINE/cluster
args=()
while (($# > 0)); do
  case $1 in
    --kubeconfig | --request-timeout) shift ;;
    *) args+=("$1") ;;
  esac
  shift
done
set -- "\${args[@]}"
[[ ! -e $cluster/unanswered ]] || { echo "The connection to the server was refused" >&2; exit 1; }
if [[ "$1 $2" == "$(cat "$cluster/cut" 2>/dev/null)" ]]; then rm "$cluster/cut" && echo "unexpected EOF" >&2 && exit 1; fi
case "$1 $2" in
  "get node")
    [[ $4 == --ignore-not-found ]] || exit 1
    cat "$cluster/node.json" 2>/dev/null || true ;;
  "get pods") cat "$cluster/pods.json" ;;
  "drain "*) echo "drain $*" >>"$cluster/journal" && source "$cluster/drain" ;;
  "wait "*)
    echo $$ >"$cluster/watcher"
    # Until the node does not report any more, as kubectl waits.
    for _ in {1..300}; do [[ -e $cluster/silent ]] && exit 0; sleep 0.1; done
    exit 1 ;;
  "delete "*) echo "$1 $2 $3" >>"$cluster/journal" ;;
  "apply "*) cat "\${@: -1}" >>"$cluster/applied" 2>/dev/null || true ;;
esac
`;

function controlPlane(): Machine {
  const machine = new Machine("oslo");
  for (const script of ["leave.sh", "etcd.sh", "turn.sh"]) machine.install(script);
  machine.write("bin/curl", etcd);
  machine.write("bin/kubectl", kubectl);
  machine.write("state/cluster", "");
  return machine;
}

const test = base.extend<{ machine: Machine; survivor: Machine }>({
  machine: async ({ task: _ }, use) => {
    const machine = controlPlane();
    members(machine, ["cp-1"]);
    machine.write("cluster/node.json", node("True"));
    machine.write("cluster/pods.json", JSON.stringify({ items: [] }));
    machine.write("cluster/drain", "true");
    await use(machine);
    machine.remove();
  },
  /** Another machine of the same cluster. */
  survivor: async ({ machine }, use) => {
    const survivor = controlPlane();
    symlinkSync(machine.path("cluster"), survivor.path("cluster"));
    await use(survivor);
    survivor.remove();
  },
});

/** etcd's gateway: members.json, `sick` (clients' URLs that do not answer), and what was asked of it. */
const etcd = `#!/bin/bash
cluster=$MACHINE/cluster
url=\${*: -1} body=
while (($# > 1)); do [[ $1 != --data ]] || body=$2; shift; done
[[ ! -e $cluster/no-quorum ]] || { echo "context deadline exceeded" >&2; exit 22; }
case $url in
  */member/list) cat "$cluster/members.json" ;;
  */maintenance/status)
    host=\${url%/v3/*}
    if grep -qxF "$host" "$cluster/sick" 2>/dev/null; then exit 28; fi
    echo '{"header":{"member_id":"1"},"leader":"'"$(cat "$cluster/leader" 2>/dev/null || echo 1)"'"}' ;;
  */kv/range)
    cat "$cluster/turn/kvs" 2>/dev/null || echo '{"header":{}}' ;;
  */lease/grant) echo '{"ID":"'$$'"}' ;;
  */lease/revoke)
    if grep -qF "\\"\${body//[!0-9]/}\\"" "$cluster/turn/kvs" 2>/dev/null; then rm -r "$cluster/turn"; fi
    echo '{"header":{}}' ;;
  */kv/txn)
    if mkdir "$cluster/turn" 2>/dev/null; then
      [[ $body =~ request_put[^{]*(.[^}]*.) ]] && echo "{\\"kvs\\":[\${BASH_REMATCH[1]}]}" >"$cluster/turn/kvs"
      echo '{"succeeded":true}'
    else
      echo '{"header":{}}'
    fi ;;
  */transfer-leadership) echo "transfer $body at \${url%/v3/*}" >>"$cluster/journal" && echo '{"header":{}}' ;;
  */member/remove)
    echo "remove $body" >>"$cluster/journal"
    jq --arg id "$(jq --raw-output .ID <<<"$body")" 'del(.members[] | select(.ID == $id))' "$cluster/members.json" >"$cluster/m"
    mv "$cluster/m" "$cluster/members.json"
    echo '{"header":{}}' ;;
esac
`;

const client = (name: string) => `https://${name}:2379`;

/** Members of etcd by name; the first is the one that is asked. */
function members(machine: Machine, names: string[], learners: string[] = []): void {
  machine.write(
    "cluster/members.json",
    JSON.stringify({ header: {}, members: memberList(names, learners) }),
  );
}

function memberList(names: string[], learners: string[] = []) {
  return [...names, ...learners].map((name, i) => ({
    ID: String(i + 1),
    ...(learners.includes(name) ? { isLearner: true } : { name, clientURLs: [client(name)] }),
    peerURLs: [`https://${name}:2380`],
  }));
}

function node(ready?: string, labels = {}): string {
  const conditions = [
    { type: "MemoryPressure", status: "False" },
    ...(ready === undefined ? [] : [{ type: "Ready", status: ready }]),
  ];
  return JSON.stringify({ metadata: { name: "worker-1", labels }, status: { conditions } });
}

function pod(name: string, metadata = {}, phase = "Running") {
  const ownerReferences = [{ kind: "ReplicaSet", name: "web" }];
  return {
    metadata: { namespace: "shop", name, ownerReferences, ...metadata },
    status: { phase },
  };
}

function put(machine: Machine, ...pods: ReturnType<typeof pod>[]): void {
  machine.write("cluster/pods.json", JSON.stringify({ items: pods }));
}

const leave = (machine: Machine) => machine.call(["leave", "worker-1", "7"]);
const journal = (machine: Machine) => machine.read("cluster/journal").split("\n").filter(Boolean);
/** A kubectl that the run has started is no more. */
async function ended(machine: Machine, name: "watcher" | "drainer"): Promise<void> {
  const pid = Number(machine.read(`cluster/${name}`));
  expect(pid).toBeGreaterThan(0);
  await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
}

const refused = (name: string) =>
  `error when evicting pods/"${name}" -n "shop" (will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget.`;

const timedOut = (name: string) =>
  `error when evicting pods/"${name}" -n "shop": global timeout reached: 7s`;

const hasTools = ["jq", "flock"].every((tool) => spawnSync(tool, ["--version"]).status === 0);

describeWhere(process.platform === "linux" && hasTools, "Linux, jq and flock")(
  "oslo-step leave",
  () => {
    test("drains the node within the time given, then deletes it", async ({ machine }) => {
      machine.write(
        "cluster/drain",
        'echo "evicting pod shop/web-1"; echo "evicting pod shop/web-1"',
      );
      const { exitCode, stdout } = await leave(machine);
      expect(exitCode).toBe(0);
      expect(stdout.match(/evicting pod shop\/web-1/g)).toHaveLength(1);
      expect(stdout).toMatch(/node worker-1 has left the cluster$/);
      expect(journal(machine)).toEqual([
        "drain drain worker-1 --ignore-daemonsets --delete-emptydir-data --timeout 7s",
        "delete node worker-1",
        "delete pods --all-namespaces",
      ]);
      expect(machine.read("cluster/applied")).toMatch(
        /"name":"oslo-cluster-removed-nodes",.*"data":\{"worker-1":"\d{4}-/,
      );
    });

    test("a child that is ended before it is its program takes nothing away", async ({
      machine,
    }) => {
      // As the script does it, a hundred times: one that had it wrong was caught at the first.
      const trap = readFileSync(join(root, "steps/leave.sh"), "utf8").match(/^trap .*$/m)?.[0];
      const { stdout } = await execa("bash", [
        "-c",
        `set -euo pipefail
scratch=${machine.path("scratch")}
mkdir -p "$scratch"
end_turn() { echo 'the turn was ended'; }
${trap}
for try in $(seq 100); do
  sleep 60 >"$scratch/drain" &
  kill $!
  wait $! || true
  [[ -d $scratch ]] || { echo 'what the script needs is gone'; break; }
done`,
      ]);
      expect(stdout).toBe("the turn was ended");
    });

    test("finds nothing to do the second time", async ({ machine }) => {
      machine.forget("cluster/node.json");
      const { exitCode, stdout } = await leave(machine);
      expect(exitCode).toBe(0);
      expect(stdout).toBe("node worker-1 is not in the cluster");
      expect(journal(machine)).toEqual([]);
    });

    test("stays where a disruption budget does not let a pod go, and names pod and fix", async ({
      machine,
    }) => {
      put(machine, pod("web-1"), pod("agent", { ownerReferences: [{ kind: "DaemonSet" }] }));
      machine.write(
        "cluster/drain",
        `cat <<'E'\n${refused("web-1")}\n${timedOut("web-1")}\nE\nexit 1`,
      );
      const { exitCode, stderr } = await leave(machine);
      expect(exitCode).toBe(1);
      expect(stderr).toContain("worker-1 is cordoned and stays in the cluster");
      expect(stderr).toContain("  shop/web-1: its PodDisruptionBudget allows no eviction");
      expect(stderr).toContain("kubectl uncordon worker-1");
      expect(stderr).not.toContain("agent");
      expect(journal(machine)).toHaveLength(1);
    });

    test("tells every pod that stays, with its own reason, and none that does not", async ({
      machine,
    }) => {
      put(
        machine,
        pod("bare", { ownerReferences: [] }),
        pod("slow", { deletionTimestamp: "2026-01-01T00:00:00Z" }),
        pod("odd"),
        pod("untried"),
        pod("done", {}, "Succeeded"),
        pod("static", { annotations: { "kubernetes.io/config.mirror": "x" } }),
      );
      machine.write(
        "cluster/drain",
        `echo 'error when evicting pods/"odd" -n "shop": refused by a webhook'; exit 1`,
      );
      const { stderr } = await leave(machine);
      const reasons = stderr.split("\n").filter((line) => line.startsWith("  "));
      expect(reasons).toEqual([
        expect.stringMatching(/^ {2}shop\/bare: no controller/),
        expect.stringMatching(/^ {2}shop\/slow: has not ended within 7 s/),
        expect.stringMatching(/^ {2}shop\/odd: error when evicting .*refused by a webhook/),
      ]);
    });

    test("names the pods also where nothing is known of what holds them", async ({ machine }) => {
      put(machine, pod("web-1"), pod("web-2"));
      machine.write("cluster/drain", "exit 1");
      expect((await leave(machine)).stderr).toContain("\n  shop/web-1\n  shop/web-2\n");
    });

    test.for([["Unknown"], [undefined]] as const)(
      "does not wait for a node that does not report (%s): its pods are named, and it leaves",
      async ([ready], { machine }) => {
        machine.write("cluster/node.json", node(ready));
        put(machine, pod("web-1"));
        const { exitCode, stdout } = await leave(machine);
        expect(exitCode).toBe(0);
        expect(stdout).toMatch(/does not report any more .*\n {2}shop\/web-1\n/);
        expect(journal(machine)).toEqual(["delete node worker-1", "delete pods --all-namespaces"]);
      },
    );

    test("stops waiting for a node that dies while it is drained", async ({ machine }) => {
      put(machine, pod("web-1", { deletionTimestamp: "2026-01-01T00:00:00Z" }));
      const drain = 'echo $$ >"$cluster/drainer"; touch "$cluster/silent"; exec sleep 60';
      machine.write("cluster/drain", drain);
      const { exitCode, stdout } = await leave(machine);
      expect(exitCode).toBe(0);
      expect(stdout).toContain("does not report any more");
      await ended(machine, "drainer");
      expect(journal(machine).slice(1)).toEqual([
        "delete node worker-1",
        "delete pods --all-namespaces",
      ]);
    });

    test("leaves no program behind that waits for the node", async ({ machine }) => {
      machine.write("cluster/drain", "until [[ -s $cluster/watcher ]]; do sleep 0.01; done");
      expect((await leave(machine)).exitCode).toBe(0);
      await ended(machine, "watcher");
    });

    test("drains a node that is not ready but reports", async ({ machine }) => {
      machine.write("cluster/node.json", node("False"));
      expect((await leave(machine)).exitCode).toBe(0);
      expect(journal(machine)[0]).toMatch(/^drain /);
    });

    test("says in its exit code that the API does not answer, and changes nothing", async ({
      machine,
    }) => {
      machine.write("cluster/unanswered", "");
      const library = machine.read("lib/lib.sh");
      machine.write("lib/lib.sh", library.replace("ask_seconds=30", "ask_seconds=1"));
      const { exitCode, stderr } = await leave(machine);
      expect(exitCode).toBe(75);
      expect(stderr).toContain("The connection to the server was refused");
      expect(journal(machine)).toEqual([]);
    });

    test.for(["get node", "delete node"])(
      "asks once more where a connection ends that a balancer has sent to who is leaving (%s)",
      async (call, { machine }) => {
        machine.write("cluster/cut", call);
        const { exitCode, stderr } = await leave(machine);
        expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "unexpected EOF" });
        expect(journal(machine)).toContain("delete node worker-1");
      },
    );

    test("has nothing to leave on a machine that belongs to no cluster", async ({ machine }) => {
      machine.forget("state/cluster");
      expect(await leave(machine)).toMatchObject({ exitCode: 3 });
    });

    describe("of a control plane", () => {
      const out = (machine: Machine, name = "cp-2") => machine.call(["leave", name, "7"]);
      const three = ["cp-1", "cp-2", "cp-3"];

      test("drains it, takes its member out of etcd, and deletes its node after that", async ({
        machine,
      }) => {
        members(machine, three);
        expect(await out(machine)).toMatchObject({ exitCode: 0 });
        expect(journal(machine)).toEqual([
          expect.stringMatching(/^drain .*cp-2/),
          'remove {"ID":"2"}',
          "delete node cp-2",
          "delete pods --all-namespaces",
        ]);
      });

      test("has it hand over before, where it leads", async ({ machine }) => {
        members(machine, three);
        machine.write("cluster/leader", "2");
        await out(machine);
        expect(journal(machine)[1]).toBe('transfer {"targetID":"1"} at https://cp-2:2379');
      });

      test("takes a dead one out, undrained", async ({ machine }) => {
        members(machine, three);
        machine.write("cluster/node.json", node("Unknown"));
        machine.write("cluster/sick", `${client("cp-2")}\n`);
        expect(await out(machine)).toMatchObject({ exitCode: 0 });
        expect(journal(machine)[0]).toBe('remove {"ID":"2"}');
      });

      test("takes out a member whose node is gone already", async ({ machine }) => {
        members(machine, three);
        machine.forget("cluster/node.json");
        expect(await out(machine)).toMatchObject({ exitCode: 0 });
        expect(journal(machine)[0]).toBe('remove {"ID":"2"}');
      });

      test.for([
        [
          "one of the others is not healthy",
          three,
          ["cp-3"],
          "1 of 2 members would be healthy, and 2",
        ],
        ["two of five are not healthy", [...three, "cp-4", "cp-5"], ["cp-4", "cp-5"], "2 of 4"],
        ["it is the only one", ["cp-2"], [], "is the only member"],
      ] as const)(
        "is refused where %s: nothing is changed in etcd",
        async ([, all, sick, says], { machine }) => {
          members(machine, [...all]);
          machine.write("cluster/sick", sick.map((name) => `${client(name)}\n`).join(""));
          const { exitCode, stderr, stdout } = await out(machine);
          expect(exitCode).toBe(1);
          expect(stderr + stdout).toContain(says);
          expect(journal(machine).filter((line) => !line.startsWith("drain"))).toEqual([]);
        },
      );

      test("is refused while a member is joining", async ({ machine }) => {
        members(machine, three, ["cp-4"]);
        expect((await out(machine)).stderr).toContain("another member is joining");
        expect(journal(machine).filter((line) => !line.startsWith("drain"))).toEqual([]);
      });

      test("is refused while another that the configuration has is not back", async ({
        machine,
      }) => {
        members(machine, ["cp-1", "cp-2"]);
        machine.write("etc/oslo-cluster/control-planes", "cp-1\ncp-2\ncp-3\n");
        const { exitCode, stderr } = await out(machine);
        expect(exitCode).toBe(1);
        expect(stderr).toContain("cp-2 is not taken out while cp-3 is not back in etcd");
        expect(journal(machine)).toEqual([]);
      });

      test("is refused while another one is leaving, on whichever machine: of two at once one leaves, and the other is not drained", async ({
        machine,
        survivor,
      }) => {
        members(machine, three);
        machine.write("etc/oslo-cluster/control-planes", "cp-1\ncp-2\ncp-3\n");
        machine.write("cluster/drain", "sleep 1");
        survivor.write("etc/oslo-cluster/control-planes", "cp-1\ncp-2\ncp-3\n");
        const both = await Promise.all([out(machine, "cp-2"), out(survivor, "cp-1")]);
        expect(both.map(({ exitCode }) => exitCode).sort()).toEqual([0, 1]);
        expect(both.map(({ stderr }) => stderr).join("")).toMatch(/is not back in etcd/);
        expect(journal(machine).filter((line) => /^(drain|remove)/.test(line))).toHaveLength(2);
      });

      test("is refused where another one has left by another's hand while it was drained", async ({
        machine,
      }) => {
        members(machine, three);
        machine.write("etc/oslo-cluster/control-planes", "cp-1\ncp-2\ncp-3\n");
        const rest = JSON.stringify({ header: {}, members: memberList(["cp-1", "cp-2"]) });
        machine.write("cluster/drain", `echo '${rest}' >"$cluster/members.json"`);
        const { exitCode, stderr } = await out(machine);
        expect(exitCode).toBe(1);
        expect(stderr).toContain("cp-2 is not taken out while cp-3 is not back in etcd");
        expect(journal(machine)).toEqual([expect.stringMatching(/^drain /)]);
      });

      test("is taken up again after a run that was killed: its turn is its own", async ({
        machine,
      }) => {
        members(machine, three);
        const kvs = [{ value: Buffer.from("cp-2").toString("base64"), lease: "7" }];
        machine.write("cluster/turn/kvs", JSON.stringify({ kvs }));
        expect((await out(machine, "cp-2")).exitCode).toBe(0);
        expect(existsSync(machine.path("cluster/turn"))).toBe(false);
      });

      test("is done while fewer than before are wanted", async ({ machine }) => {
        members(machine, ["cp-1", "cp-2"]);
        machine.write("etc/oslo-cluster/control-planes", "cp-1\n");
        expect(await out(machine)).toMatchObject({ exitCode: 0 });
      });

      test("is left to another where etcd decides nothing here", async ({ machine }) => {
        members(machine, three);
        machine.write("cluster/no-quorum", "");
        expect(await out(machine)).toMatchObject({ exitCode: 75 });
        expect(journal(machine)).toEqual([]);
      });
    });
  },
);
