import { existsSync } from "node:fs";
import { execa } from "execa";
import { test as base, expect } from "vitest";
import { describeOnLinux } from "../needs.ts";
import { Machine } from "./machine.ts";

const test = base.extend<{ machine: Machine }>({
  machine: async ({ task: _ }, use) => {
    const machine = new Machine("oslo");
    for (const part of ["containers.sh", "static-pods.sh", "etcd.sh", "private-etcd.sh"])
      machine.install(part);
    machine.addOwnStep("control-plane");
    machine.addProgram("kubeadm", 'echo "kubeadm $*" >>"$MACHINE/journal"');
    machine.addProgram("ctr", "");
    machine.write("bin/curl", '#!/bin/sh\necho \'{"leader":"1"}\'\n');
    await use(machine);
    machine.remove();
  },
});

const bash = (machine: Machine, script: string) =>
  execa("bash", ["-s"], {
    input: `set -euo pipefail
source ${machine.path("lib/lib.sh")}
source ${machine.path("lib/control-plane.sh")}
${script}`,
    env: { PATH: `${machine.path("bin")}:${process.env.PATH}`, MACHINE: machine.path(".") },
    reject: false,
    all: true,
  });

const aside = "etcd/member.before-restore-20260101T000000Z/snap/db";

describeOnLinux("what is left of a control plane", () => {
  test("goes before it joins again, but not what a restore has moved aside", async ({
    machine,
  }) => {
    machine.write("state/joining", "");
    machine.write("etcd/member/snap/db", "left");
    machine.write("etcd/other", "left");
    machine.write(aside, "the only copy");
    const { all, exitCode } = await bash(machine, "clean join");
    expect({ all, exitCode }).toEqual({
      all: "an earlier join did not finish, or the node has left: reset",
      exitCode: 0,
    });
    expect(existsSync(machine.path("etcd/member"))).toBe(false);
    expect(existsSync(machine.path("etcd/other"))).toBe(false);
    expect(machine.read(aside)).toBe("the only copy");
  });

  test("goes, but not another disk's data", async ({ machine }) => {
    machine.write("state/joining", "");
    machine.write("state/etcd-data", "cluster=1 member=2\n");
    machine.write("etcd/oslo-cluster", "cluster=9 member=2\n");
    machine.write("etcd/member/snap/db", "another cluster's");
    machine.addProgram("kubeadm", "[[ ! -e $MACHINE/etcd/member ]]");
    const script = `clean join\ncat ${machine.path("etcd")}/member.kept-*/snap/db`;
    const { all, exitCode } = await bash(machine, script);
    expect(exitCode).toBe(0);
    expect(all).toMatch(/\nkept: \S+\/member\.kept-\w+, which is not .*\nanother cluster's$/);
    expect(existsSync(machine.path("etcd/member"))).toBe(false);
  });

  test("stays where this program did not make it", async ({ machine }) => {
    machine.write("etcd/member/snap/db", "somebody's");
    const { all, exitCode } = await bash(machine, "clean join");
    expect(exitCode).toBe(1);
    expect(all).toContain("this program did not make");
    expect(machine.read("etcd/member/snap/db")).toBe("somebody's");
  });
});

describeOnLinux("a control plane without a cluster", () => {
  test("begins none where the others' answers were lost on their way", async ({ machine }) => {
    const { all, exitCode } = await bash(machine, "NODE=cp-2\napply");
    expect(exitCode).toBe(1);
    expect(all).toContain("it was not told what the other control planes answer");
    expect(machine.read("journal")).toBe("");
  });

  test("begins none where others do not answer, and says how to go on without them", async ({
    machine,
  }) => {
    const vars = "NODE=cp-2 SILENT='cp-1 cp-3' KNOWN='' ABANDON=VARIABLE";
    const { all, exitCode } = await bash(machine, `${vars}\napply`);
    expect(exitCode).toBe(1);
    expect(all).toMatch(/no answer from cp-1 cp-3\. .* run with VARIABLE=cp-1,cp-3$/);
    expect(machine.read("journal")).toBe("");
  });
});

describeOnLinux("a member whose data are gone", () => {
  const silent = "#!/bin/sh\nexit 7\n";
  const remembered = (machine: Machine) => {
    machine.write("state/etcd-data", "cluster=1 member=2\n");
    machine.write("etcd/oslo-cluster", "cluster=1 member=2\n");
  };

  test("is one that votes, while it answers", async ({ machine }) => {
    remembered(machine);
    expect((await bash(machine, "etcd_state")).all).toBe("voter");
    // Whoever tidies up there has lost nothing.
    machine.forget("etcd/oslo-cluster");
    expect((await bash(machine, "etcd_state")).all).toBe("voter");
  });

  test("is silent while its data are there, and where it was never known which they are", async ({
    machine,
  }) => {
    machine.write("bin/curl", silent);
    expect((await bash(machine, "etcd_state")).all).toBe("silent");
    remembered(machine);
    expect((await bash(machine, "etcd_state")).all).toBe("silent");
  });

  test.for([
    ["emptied", (machine: Machine) => machine.forget("etcd/oslo-cluster")],
    [
      "another disk",
      (machine: Machine) => machine.write("etcd/oslo-cluster", "cluster=9 member=2\n"),
    ],
  ] as const)(
    "is named where the directory is %s, and nothing is applied",
    async ([, lose], { machine }) => {
      machine.write("bin/curl", silent);
      machine.write("state/cluster", "");
      remembered(machine);
      lose(machine);
      expect((await bash(machine, "etcd_state")).all).toBe("lost");
      const { all, exitCode } = await bash(
        machine,
        "NODE=cp-1\nfiles_apply() { echo written; }\napply",
      );
      expect(exitCode).toBe(1);
      expect(all).toMatch(
        /^error: etcd's data are gone from .*pulumi up --replace URN.* cp-1-identity/,
      );
    },
  );

  test.for([
    [
      "has let go",
      '[{"name":"cp-2"},{"name":"cp-3"}]',
      /^etcd has let .* go\. Replace .* cp-1-iden/,
    ],
    ["has", '[{"name":"cp-1"},{"name":"cp-2"}]', /^etcd's member on .* does not answer$/],
    ["cannot be asked for", "", /^etcd's member on .* does not answer$/],
  ] as const)("is another one than a member that etcd %s", async ([, list, says], { machine }) => {
    machine.addProgram(
      "curl",
      `[[ '${list}' && $* == *https://cp-2:2379/v3/cluster/member/list ]] && echo '{"members":${list}}'`,
    );
    const script = "NODE=cp-1\nirreparable || etcd_alone cp-2=https://cp-2:2379";
    const { all } = await bash(machine, `PEERS=cp-2=https://cp-2:2379\n${script}`);
    expect(all).toMatch(says);
  });

  test("is remembered beside its data, and on the machine's own disk", async ({ machine }) => {
    machine.write(
      "bin/curl",
      `#!/bin/sh\necho '{"header":{"cluster_id":"11","member_id":"22"},"leader":"1"}'\n`,
    );
    machine.write("etcd/member/snap/db", "data");
    expect((await bash(machine, "etcd_remember")).exitCode).toBe(0);
    for (const file of ["state/etcd-data", "etcd/oslo-cluster"])
      expect(machine.read(file)).toBe("cluster=11 member=22\n");
  });
});

describeOnLinux("etcd's data on a machine that is given back", () => {
  const release = (machine: Machine) => {
    machine.install("release.sh");
    machine.write("etcd/member/snap/db", "data");
    machine.write("state/etcd-data", "cluster=1 member=2\n");
    return async () =>
      await bash(
        machine,
        `source <(sed '$d' ${machine.path("lib/release.sh")}) oslo
keep_strange_data
empty ${machine.path("etcd")}
find ${machine.path("etcd")} -type f`,
      );
  };

  test("are gone where they are its own", async ({ machine }) => {
    const run = release(machine);
    machine.write("etcd/oslo-cluster", "cluster=1 member=2\n");
    expect(await run()).toMatchObject({ exitCode: 0, all: "" });
  });

  test("stay, and are named, where they are another disk's", async ({ machine }) => {
    const run = release(machine);
    machine.write("etcd/oslo-cluster", "cluster=9 member=2\n");
    const { all, exitCode } = await run();
    expect(exitCode).toBe(0);
    expect(all).toMatch(
      /^kept on \S+: \S+member\.kept-\w+, which is not .*\n\S+member\.kept-\w+\/snap\/db$/,
    );
  });
});

describeOnLinux("the kubelet of a control plane", () => {
  test("asks the balancer, and restarts once for it", async ({ machine }) => {
    const conf = (server: string) =>
      `clusters:\n- cluster:\n    server: ${server}\n  name: default-cluster\n`;
    machine.write("etc/kubernetes/kubelet.conf", conf("https://10.0.0.11:6443"));
    machine.addProgram("systemctl", 'echo "$*" >>"$MACHINE/journal"');
    const script = "BALANCER=https://127.0.0.1:7443\nbalance_kubelet\nbalance_kubelet";
    expect((await bash(machine, script)).exitCode).toBe(0);
    expect(machine.read("etc/kubernetes/kubelet.conf")).toBe(conf("https://127.0.0.1:7443"));
    expect(machine.read("journal")).toBe("restart kubelet\n");
  });
});

describeOnLinux("etcd's flags", () => {
  const manifest = "etc/kubernetes/manifests/etcd.yaml";
  const flags = "ETCD_FLAGS='--election-timeout=2500 --initial-cluster-state=existing'";
  const seal = (machine: Machine) => bash(machine, `${flags}\nseal_etcd`);

  test("that its manifest has already restart nothing", async ({ machine }) => {
    machine.write(
      manifest,
      "    - etcd\n    - --election-timeout=2500\n    - --initial-cluster-state=existing\n",
    );
    expect(await seal(machine)).toMatchObject({ exitCode: 0, all: "" });
    expect(machine.read("journal")).toBe("");
  });

  test("that its manifest has not are given by one restart, and named", async ({ machine }) => {
    // One is there with another value, one is part of another flag.
    machine.write(
      manifest,
      "    - etcd\n    - --election-timeout=25000\n    - --experimental-initial-cluster-state=existing\n",
    );
    expect(await seal(machine)).toMatchObject({
      exitCode: 0,
      all: "etcd restarts with --election-timeout=2500 --initial-cluster-state=existing",
    });
    expect(machine.read("journal")).toMatch(/^kubeadm init phase etcd local --config \S+\n$/);
  });
});

describeOnLinux("a machine that begins from a copy", () => {
  test("has etcd's image before it takes etcd's programs from it", async ({ machine }) => {
    machine.write("state/restore/set/set.json", "{}");
    machine.write("lib/restore.sh", 'echo "restore.sh $*" >>"$MACHINE/journal"\n');
    machine.addProgram("kubectl", "");
    const script = "clean() { :; }\nfiles_apply() { :; }\nencryption_key() { :; }\ninitialize";
    expect((await bash(machine, script)).exitCode).toBe(0);
    expect(machine.read("journal")).toMatch(
      /^kubeadm config images pull .*\nrestore.sh seed\nkubeadm init .* --skip-phases addon,show-join-command\n$/,
    );
  });
});
