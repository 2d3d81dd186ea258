import { copyFileSync } from "node:fs";
import { execa, type ResultPromise } from "execa";
import { test as base, expect } from "vitest";
import { agentFunction } from "../../verify/cluster.ts";
import { kubeProxyProof } from "../../verify/proofs/kube-proxy.ts";
import { describeOnLinux } from "../needs.ts";
import { Machine } from "./machine.ts";

/** ctr of a runtime that is a folder: a line `id namespace name status` per container in `containers`. */
const ctr = `
rows=$MACHINE/containers
case "$3 $4" in
  "containers list")
    [[ $6 =~ namespace\\"==([a-z-]+),.*name\\"==([a-z-]+)$ ]] || exit 1
    awk -v n="\${BASH_REMATCH[1]}" -v c="\${BASH_REMATCH[2]}" '$2 == n && $3 == c { print $1 }' "$rows" ;;
  "tasks list") echo 'TASK PID STATUS' && awk '{ print $1, 100 + NR, $4 }' "$rows" ;;
  "tasks exec") cat && echo "in $7: \${*:8}" ;;
esac
`;

const test = base.extend<{ machine: Machine; decoy: (name: string) => void }>({
  machine: async ({ task: _ }, use) => {
    const machine = new Machine("oslo");
    for (const part of ["containers.sh", "static-pods.sh", "etcd.sh", "private-etcd.sh"])
      machine.install(part);
    machine.addOwnStep("control-plane");
    machine.addProgram("ctr", ctr);
    machine.addProgram("nsenter", 'echo "nsenter $*"; exit 1');
    machine.write("etc/kubernetes/manifests/kube-apiserver.yaml", "the manifest\n");
    await use(machine);
    machine.remove();
  },
  // A pod's process, under the name of another.
  decoy: async ({ machine }, use) => {
    const started: ResultPromise[] = [];
    await use((name) => {
      machine.write(`decoys/${name}`, "");
      copyFileSync("/bin/sleep", machine.path(`decoys/${name}`));
      started.push(execa(machine.path(`decoys/${name}`), ["60"], { reject: false }));
    });
    for (const process of started) process.kill();
    await Promise.all(started);
  },
});

const bash = (machine: Machine, script: string) =>
  execa("bash", ["-s"], {
    input: script,
    env: { PATH: `${machine.path("bin")}:${process.env.PATH}`, MACHINE: machine.path(".") },
    reject: false,
    all: true,
  });

describeOnLinux("the agent of a node", () => {
  test("is the container of kube-system, not a process that has its name", async ({
    machine,
    decoy,
  }) => {
    decoy("cilium-agent");
    machine.write(
      "containers",
      "evil tenant cilium-agent RUNNING\nold kube-system cilium-agent STOPPED\nreal kube-system cilium-agent RUNNING\n",
    );
    const { all } = await bash(machine, `${agentFunction}agent cilium-dbg status\necho after`);
    expect(all).toBe("in real: cilium-dbg status\nafter");
  });

  test("that does not run is reported, whatever a pod calls itself", async ({ machine, decoy }) => {
    decoy("cilium-agent");
    machine.write("containers", "evil tenant cilium-agent RUNNING\n");
    const { all, exitCode } = await bash(machine, `${agentFunction}agent cilium-dbg status`);
    expect({ all, exitCode }).toEqual({
      all: "no cilium-agent of kube-system runs here",
      exitCode: 1,
    });
  });
});

describeOnLinux("kube-proxy", () => {
  const script = async () => {
    let asked = "";
    await kubeProxyProof.prove({
      kubectl: async () => "",
      nodes: ["node"],
      onNode: async (_: string, text: string) => {
        asked = text;
        return "";
      },
    } as unknown as Parameters<typeof kubeProxyProof.prove>[0]);
    return asked;
  };
  const quiet = ["iptables-save", "iptables-legacy-save", "ip6tables-save"];

  test("is a container of kube-system, and no tenant's process", async ({ machine, decoy }) => {
    for (const name of [...quiet, "ip6tables-legacy-save", "nft"]) machine.addProgram(name, "");
    decoy("kube-proxy");
    machine.write("containers", "evil tenant kube-proxy RUNNING\n");
    expect((await bash(machine, await script())).all).toBe("");
    machine.write("containers", "real kube-system kube-proxy RUNNING\n");
    expect((await bash(machine, await script())).all).toBe("a container kube-proxy runs");
  });
});

describeOnLinux("a static pod's restart", () => {
  const manifest = "etc/kubernetes/manifests/kube-apiserver.yaml";
  /** Allows the wait so many seconds, and takes the given end of the container. */
  const restart = (machine: Machine, before: string, seconds: number) =>
    bash(
      machine,
      `set -euo pipefail
source ${machine.path("lib/lib.sh")}
source ${machine.path("lib/control-plane.sh")}
eval "whole_$(declare -f wait_until)"
wait_until() { whole_wait_until ${seconds} "\${@:2}"; }
away() { while [[ -e ${machine.path(manifest)} ]]; do sleep 0.1; done; }
${before}
restart_static_pod kube-apiserver`,
    );
  const running = "real kube-system kube-apiserver RUNNING\n";

  test("waits for its container, not for processes of that name", async ({ machine, decoy }) => {
    decoy("kube-apiserver");
    machine.write("containers", running);
    const ends = `{ away; : >${machine.path("containers")}; } &`;
    const { all, exitCode } = await restart(machine, ends, 30);
    expect({ all, exitCode }).toEqual({ all: "", exitCode: 0 });
    expect(machine.read("containers")).toBe("");
    expect(machine.read(manifest)).toBe("the manifest\n");
  });

  test.for([
    ["whose container does not end", running, "", /not within \d+ s: .*running: real/s, 1, 1],
    ["whose runtime does not answer", "", "ctr() { return 1; }", /not within \d+ s: /, 1, 1],
    ["that is ended by a signal", running, "(away; kill -TERM $$) &", /^$/, 143, 30],
  ] as const)(
    "%s puts the manifest back",
    async ([, containers, before, says, code, seconds], { machine }) => {
      machine.write("containers", containers);
      const { all, exitCode } = await restart(machine, before, seconds);
      expect(all).toMatch(says);
      expect(exitCode).toBe(code);
      expect(machine.read(manifest)).toBe("the manifest\n");
    },
  );
});

describeOnLinux("an etcd that nobody else can reach", () => {
  test("has its sockets and its log in a directory of root's alone", async ({ machine }) => {
    machine.addProgram("etcd", "exec sleep 60");
    const { stdout } = await bash(
      machine,
      `source ${machine.path("lib/lib.sh")}
source ${machine.path("lib/private-etcd.sh")}
mkdir -m 0755 ${machine.path("private")}
start_private_etcd ${machine.path("private")} ${machine.path("bin/etcd")}
stat --format %a ${machine.path("private")}`,
    );
    expect(stdout).toBe("700");
  });
});
