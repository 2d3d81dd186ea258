import { createServer } from "node:net";
import { execa } from "execa";
import { test as base, expect } from "vitest";
import { describeOnLinux } from "../needs.ts";
import { ready, refused, silent, unreachable, unready } from "./curl-answers.ts";
import { Machine } from "./machine.ts";

const planes = ["10.10.0.11:6443", "[fd00::12]:6443"];
const configuration = `backend control-planes
  default-server check
${planes.map((address, i) => `  server cp-${i + 1} ${address}`).join("\n")}
`;

const test = base.extend<{ machine: Machine }>({
  machine: async ({ task: _ }, use) => {
    const machine = new Machine("oslo");
    for (const name of ["api-servers", "api-balancer"]) machine.addOwnStep(name);
    machine.addProgram("haproxy", "");
    const path = "etc/oslo-cluster/haproxy.cfg";
    for (const file of [path, `volatile/work/files${machine.path(path)}`])
      machine.write(file, configuration);
    machine.write("state/packages", "");
    machine.write("volatile-api/.made", "");
    machine.write("state/cluster", "");
    const socket = createServer();
    await new Promise<void>((resolve) =>
      socket.listen(machine.path("volatile-api/admin.sock"), resolve),
    );
    await use(machine);
    await new Promise((resolve) => socket.close(resolve));
    machine.remove();
  },
});

/** What curl does: of the balancer, and of each control plane itself. */
function answer(machine: Machine, balancer: string, ...ofPlanes: string[]): void {
  const cases = planes.map((address, i) => `*'https://${address}/'*) ${ofPlanes[i]} ;;`);
  machine.addProgram("curl", `case $* in ${cases.join(" ")} *127.0.0.1:7443*) ${balancer} ;; esac`);
}

/** Runs one of the step's functions; a wait asks once. */
async function call(machine: Machine, name: "apply" | "check", restartSeconds = 0) {
  const { all, exitCode } = await execa(
    "bash",
    ["-euo", "pipefail", "-O", "inherit_errexit", "-s"],
    {
      input: `source ${machine.path("lib/lib.sh")}
source ${machine.path("lib/api-balancer.sh")}
WORK=${machine.path("volatile/work")} STEP=api-balancer READYZ=https://127.0.0.1:7443/readyz
restart_seconds=${restartSeconds}
wait_until() { "\${@:3}" || die "not within $1 s: $2"; }
${name}`,
      env: { PATH: `${machine.path("bin")}:${process.env.PATH}` },
      ...{ reject: false, all: true },
    },
  );
  return { exitCode, all };
}

describeOnLinux("the balancer of a member", () => {
  test("carries to an API server that is ready", async ({ machine }) => {
    answer(machine, ready, silent, silent);
    expect(await call(machine, "apply")).toEqual({ exitCode: 0, all: "" });
    expect(await call(machine, "check")).toEqual({ exitCode: 0, all: "" });
  });

  test("waits for none where nothing listens on any control plane, as before a restore", async ({
    machine,
  }) => {
    answer(machine, refused, refused, refused);
    expect(await call(machine, "apply")).toEqual({ exitCode: 0, all: "" });
    expect(await call(machine, "check")).toEqual({ exitCode: 0, all: "" });
  });

  test("waits for one that may only be restarting", async ({ machine }) => {
    answer(machine, refused, refused, refused);
    expect((await call(machine, "apply", 30)).exitCode).toBe(1);
  });

  test.for([
    ["cannot be reached", unreachable],
    ["hangs", silent],
    ["is not ready", unready],
    ["is ready", ready],
  ] as const)(
    "fails where a control plane %s, and none is reached by it",
    async ([, state], { machine }) => {
      answer(machine, refused, refused, state);
      const said = "no API server is ready at https://127.0.0.1:7443/readyz";
      expect(await call(machine, "check")).toEqual({ exitCode: 0, all: said });
      const { exitCode, all } = await call(machine, "apply");
      expect(exitCode).toBe(1);
      expect(all).toContain(
        "not within 60 s: an API server is ready at https://127.0.0.1:7443/readyz",
      );
    },
  );
});
