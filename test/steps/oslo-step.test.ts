import { statSync } from "node:fs";
import { test as base, expect } from "vitest";
import { type StepDocument, step } from "../../plan/step.ts";
import { describeOnLinux } from "../needs.ts";
import { Machine } from "./machine.ts";

const test = base.extend<{ machine: Machine }>({
  machine: async ({ task: _ }, use) => {
    const machine = new Machine("oslo");
    machine.addStep("kernel", script);
    await use(machine);
    machine.remove();
  },
});

/** A step as the others are: puts its files in place, then does its work; FAIL ends it there. */
const script = `check() { files_drift; }
apply() {
  files_apply
  say "applied \${CHANGED[*]##*/}"
  [[ -z \${FAIL:-} ]] || die "asked to fail"
  printf %s "\${SECRET:-none}" >"$state/secret-seen" && reading '{"ran":true}'
}
`;

function document(machine: Machine, vars = {}, content = "x = 1"): StepDocument {
  const files = { [machine.path("etc/a.conf")]: content };
  return step("kernel", { CLUSTER: "oslo", ...vars }, files);
}

describeOnLinux("run", () => {
  test("applies the document, answers with the reading, and marks it last", async ({ machine }) => {
    const { exitCode, stdout, stderr } = await machine.oslo("run", document(machine));
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '{"ran":true}' });
    expect(stderr).toContain("applied a.conf");
    expect(machine.read("etc/a.conf")).toBe("x = 1\n");
    const marker = machine.read("state/steps/kernel");
    expect(marker).toMatch(/^clusterId=oslo\nmachineId=0123\nphase=done\ninputHash=[0-9a-f]{16}\n/);
  });

  test("does nothing the second time, and answers the same", async ({ machine }) => {
    await machine.oslo("run", document(machine));
    const again = await machine.oslo("run", document(machine));
    expect(again).toEqual({ exitCode: 0, stdout: '{"ran":true}', stderr: "unchanged" });
  });

  test("applies a changed document, and a changed script", async ({ machine }) => {
    await machine.oslo("run", document(machine));
    const changed = await machine.oslo("run", document(machine, {}, "x = 2"));
    expect(changed.stderr).toContain("applied a.conf");
    machine.addStep("kernel", `${script}# changed\n`);
    const rescripted = await machine.oslo("run", document(machine, {}, "x = 2"));
    expect(rescripted.stderr).toMatch(/^applied *$/m);
  });

  test("fixes what has drifted", async ({ machine }) => {
    await machine.oslo("run", document(machine));
    machine.write("etc/a.conf", "x = 9\n");
    const { exitCode, stderr } = await machine.oslo("run", document(machine));
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/drift: .*a\.conf: differs/);
    expect(machine.read("etc/a.conf")).toBe("x = 1\n");
  });

  test("that fails says why, marks nothing, and converges once it can", async ({ machine }) => {
    const failing = document(machine, { FAIL: 1 });
    const failed = await machine.oslo("run", failing);
    expect(failed).toMatchObject({ exitCode: 1, stdout: "" });
    expect(failed.stderr).toContain("error: asked to fail");
    expect(machine.read("state/steps/kernel")).toBe("");
    expect((await machine.oslo("run", document(machine))).exitCode).toBe(0);
  });

  test("that leaves drift behind is no success", async ({ machine }) => {
    machine.addStep("kernel", 'check() { echo "still wrong"; }\napply() { :; }\n');
    const { exitCode, stderr } = await machine.oslo("run", document(machine));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/kernel was applied, yet .* shows: still wrong/);
    expect(machine.read("state/steps/kernel")).toBe("");
  });

  test("stops where a check itself fails", async ({ machine }) => {
    machine.addStep("kernel", "check() { false; echo fine; }\napply() { :; }\n");
    expect((await machine.oslo("run", document(machine))).exitCode).not.toBe(0);
    expect(machine.read("state/steps/kernel")).toBe("");
  });

  test.for([
    ["another cluster's machine", (m: Machine) => m.claim("bergen"), "belongs to cluster bergen"],
    ["a clone of a claimed disk", (m: Machine) => m.claim("oslo", "4567"), "a clone"],
  ] as const)("refuses %s and changes nothing", async ([, prepare, says], { machine }) => {
    prepare(machine);
    const { exitCode, stderr } = await machine.oslo("run", document(machine));
    expect(exitCode).toBe(1);
    expect(stderr).toContain(says);
    expect(machine.read("etc/a.conf")).toBe("");
  });

  test("sees secrets, and keeps none, whether it succeeds or fails", async ({ machine }) => {
    const secret = "abcdef.0123456789abcdef";
    const secrets = `secrets:\n  SECRET: "${secret}"\n`;
    machine.addStep("kernel", script.replace("%s", "'%.0s'")); // reads it, writes nothing of it
    expect((await machine.oslo("run", document(machine), secrets)).exitCode).toBe(0);
    expect((await machine.oslo("run", document(machine, { FAIL: 1 }), secrets)).exitCode).toBe(1);
    expect(statSync(machine.path("volatile/kernel")).mode & 0o077).toBe(0);
    for (const folder of ["state", "volatile", "log", "etc"]) {
      expect(Object.values(machine.filesBelow(folder)).join("\n")).not.toContain(secret);
    }
  });

  test("is the same desired state whatever the secret is", async ({ machine }) => {
    await machine.oslo("run", document(machine), 'secrets:\n  SECRET: "one"\n');
    const again = await machine.oslo("run", document(machine), 'secrets:\n  SECRET: "two"\n');
    expect(again.stderr).toBe("unchanged");
    expect(machine.read("state/secret-seen")).toBe("one");
  });

  test("remembers what was there before, for the release", async ({ machine }) => {
    const path = machine.path("etc/a.conf");
    machine.write("etc/a.conf", "the machine's own\n");
    await machine.oslo("run", document(machine));
    await machine.oslo("run", document(machine, {}, "x = 2"));
    expect(machine.read(`state/backup${path}`)).toBe("the machine's own\n");
    expect(machine.read("state/files").match(/a\.conf/g)).toHaveLength(1);
  });
});

describeOnLinux("check", () => {
  test("of a step that never finished is drift", async ({ machine }) => {
    const { exitCode, stdout } = await machine.oslo("check", document(machine));
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "step kernel has never finished" });
  });

  test("that finds at once what is gone a moment later says nothing", async ({ machine }) => {
    await machine.oslo("run", document(machine));
    const once = `check() { [[ -e $state/asked ]] || { touch "$state/asked"; echo "no answer"; }; }\n`;
    machine.addStep("kernel", once);
    const { exitCode, stdout } = await machine.oslo("check", document(machine));
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
  });

  test("says nothing where nothing has drifted", async ({ machine }) => {
    await machine.oslo("run", document(machine));
    expect(await machine.oslo("check", document(machine))).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "",
    });
  });

  test("tells the drift, changes nothing and leaves nothing", async ({ machine }) => {
    await machine.oslo("run", document(machine));
    const before = machine.filesBelow("state");
    machine.write("etc/a.conf", "x = 9\n");
    const { exitCode, stdout } = await machine.oslo("check", document(machine));
    expect({ exitCode, stdout }).toEqual({
      exitCode: 3,
      stdout: `${machine.path("etc/a.conf")}: differs`,
    });
    expect(machine.read("etc/a.conf")).toBe("x = 9\n");
    expect(machine.filesBelow("state")).toEqual(before);
    expect(Object.keys(machine.filesBelow("volatile/kernel.check"))).toEqual([]);
  });
});

describeOnLinux("kubeadm-join", () => {
  test("of a machine under the name of another one that is Ready says so, and what to do", async ({
    machine,
  }) => {
    machine.install("kubeadm-join.sh");
    machine.write("etc/oslo-cluster/kubeadm-join.yaml", "kubeConfigPath: __DISCOVERY__\n");
    machine.write("etc/oslo-cluster/kubeadm-discovery.yaml", "__CA_CERTIFICATE__ __TOKEN__\n");
    const says =
      'error execution phase kubelet-start: a Node with name "worker-1" and status "Ready" already exists in the cluster. You must delete the existing Node or change the name of this new joining Node';
    machine.write(
      "bin/kubeadm",
      `#!/bin/bash
[[ $* == *reset* ]] && exit
file=$(sed -n 's/^kubeConfigPath: //p' "$3")
stat --format='%a' "$3" "$file" >"$MACHINE/modes"
cp "$file" "$MACHINE/discovery"
echo '${says}' >&2
exit 1
`,
    );
    const document = step("kubeadm-join", { CLUSTER: "oslo", NODE: "worker-1" });
    const secrets = 'secrets:\n  TOKEN: "abcdef.0123456789abcdef"\n  CA_CERTIFICATE: "LS0t"\n';
    const { exitCode, stderr } = await machine.oslo("run", document, secrets);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(says);
    expect(stderr).toMatch(
      /error: the cluster has a Ready node worker-1, which is not .*leave worker-1/,
    );
    expect(machine.read("state/cluster")).toBe("");
    // What a join begins with is root's alone, and gone with the step.
    expect(machine.read("discovery")).toBe("LS0t abcdef.0123456789abcdef\n");
    expect(machine.read("modes")).toBe("600\n600\n");
    expect(
      Object.keys(machine.filesBelow("volatile")).filter((path) => /conf$|join\.yaml$/.test(path)),
    ).toEqual([]);
  });
});
