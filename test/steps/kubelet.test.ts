import { execa } from "execa";
import { test as base, expect } from "vitest";
import { describeOnLinux } from "../needs.ts";
import { ready, refused, silent, unreachable, unready } from "./curl-answers.ts";
import { Machine } from "./machine.ts";

const planes = ["10.10.0.11:6443", "[fd00::12]:6443"];

const test = base.extend<{ machine: Machine }>({
  machine: async ({ task: _ }, use) => {
    const machine = new Machine("oslo");
    for (const name of ["api-servers", "kubelet-serving", "kubelet"]) machine.addOwnStep(name);
    const request = machine.path("volatile/work/serving.csr");
    machine.addProgram("openssl", `case $1 in req) echo >${request} ;; *) exit 2 ;; esac`);
    machine.addProgram("kubectl", `echo kubectl "$@" >>${machine.path("log")}; exit 1`);
    machine.write(
      "etc/oslo-cluster/haproxy.cfg",
      planes.map((address, i) => `  server cp-${i + 1} ${address}\n`).join(""),
    );
    machine.write("state/cluster", "");
    await use(machine);
    machine.remove();
  },
});

/** What curl does of each control plane; the kubelet is healthy. */
function answer(machine: Machine, ...ofPlanes: string[]): void {
  const cases = planes.map((address, i) => `*'https://${address}/'*) ${ofPlanes[i]} ;;`);
  machine.addProgram("curl", `case $* in ${cases.join(" ")} esac`);
}

/** Runs one of the step's functions; a wait asks once. */
async function call(machine: Machine, name: "apply" | "check", restartSeconds = 0) {
  const input = `source ${machine.path("lib/lib.sh")}
source ${machine.path("lib/kubelet.sh")}
WORK=${machine.path("volatile/work")} STEP=kubelet NODE=worker-1 SERVING_NAMES=DNS:worker-1
restart_seconds=${restartSeconds}
mkdir -p "$WORK"
wait_until() { "\${@:3}" || die "not within $1 s: $2"; }
${name}`;
  const { all, exitCode } = await execa(
    "bash",
    ["-euo", "pipefail", "-O", "inherit_errexit", "-s"],
    {
      input,
      env: { PATH: `${machine.path("bin")}:${process.env.PATH}` },
      ...{ reject: false, all: true },
    },
  );
  return { exitCode, all };
}

describeOnLinux("the kubelet of a member without a serving certificate of the cluster's CA", () => {
  test("asks for none and waits for none where nothing listens on any control plane, as before a restore", async ({
    machine,
  }) => {
    answer(machine, refused, refused);
    expect(await call(machine, "apply")).toEqual({ exitCode: 0, all: "" });
    expect(await call(machine, "check")).toEqual({ exitCode: 0, all: "" });
    expect(machine.read("log")).toBe("");
  });

  test("waits for an API server that may only be restarting", async ({ machine }) => {
    answer(machine, refused, refused);
    const { exitCode, all } = await call(machine, "apply", 30);
    expect(exitCode).toBe(1);
    expect(all).toContain("not within 180 s: the kubelet has a serving certificate");
  });

  test.for([
    ["cannot be reached", unreachable],
    ["hangs", silent],
    ["is not ready", unready],
    ["is ready", ready],
  ] as const)("asks for one where a control plane %s", async ([, state], { machine }) => {
    answer(machine, refused, state);
    expect((await call(machine, "apply")).exitCode).not.toBe(0);
    expect(machine.read("log")).toContain("create --filename -");
    const { all } = await call(machine, "check");
    expect(all).toContain("the kubelet has no serving certificate of the cluster's CA");
  });
});
