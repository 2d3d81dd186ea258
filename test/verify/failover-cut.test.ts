import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { test as base, expect } from "vitest";
import { containersFunction } from "../../verify/cluster.ts";
import { describeOnLinux } from "../needs.ts";
import { root } from "../root.ts";
import { Machine } from "../steps/machine.ts";

const test = base.extend<{ machine: Machine }>({
  machine: async ({ task: _ }, use) => {
    const machine = new Machine("oslo");
    const journal = `echo "$(basename "$0") $*" >>"$MACHINE/journal"`;
    machine.addProgram("systemd-run", journal);
    machine.addProgram("systemctl", `[[ $1 == reset-failed ]] || ${journal}`);
    machine.addProgram("nft", `${journal}; cat >>"$MACHINE/rules"; [[ ! -e $MACHINE/broken ]]`);
    machine.addProgram(
      "ctr",
      `case "$*" in
*"containers list"*) echo api-1 ;;
*"tasks list"*) printf 'TASK PID STATUS\\napi-1 7 RUNNING\\n' ;;
*) ${journal}; [[ ! -e $MACHINE/broken ]] ;;
esac`,
    );
    await use(machine);
    machine.remove();
  },
});

/** Runs the script as a node gets it; answers what it did, in order. */
async function run(machine: Machine, what: string, act: string) {
  const script = readFileSync(join(root, "verify/failover/cut.sh"), "utf8");
  const input = `WHAT=${what} DO=${act} SECONDS_LIMIT=40 PORTS='6443, 2379, 2380'\n${containersFunction}\n${script}`;
  const { exitCode } = await execa("bash", ["-s"], {
    input,
    env: { PATH: `${machine.path("bin")}:${process.env.PATH}`, MACHINE: machine.path("") },
    reject: false,
  });
  return { exitCode, did: machine.read("journal").trim().split("\n") };
}

const timer =
  "systemd-run --quiet --collect --unit=oslo-failover-back --service-type=oneshot --on-active=40 --timer-property=AccuracySec=1s sh -c";
const resume = "ctr --namespace k8s.io tasks resume api-1";

describeOnLinux("a cut", () => {
  test("of the API server is set to end by a timer before it begins", async ({ machine }) => {
    const { exitCode, did } = await run(machine, "api", "cut");
    expect(exitCode).toBe(0);
    expect(did.slice(-2)).toEqual([
      `${timer} ${resume}`,
      "ctr --namespace k8s.io tasks pause api-1",
    ]);
  });

  test("of the network as well, and lets SSH pass", async ({ machine }) => {
    const { exitCode, did } = await run(machine, "network", "cut");
    expect(exitCode).toBe(0);
    expect(did.slice(-2)).toEqual([`${timer} nft delete table inet oslo_failover`, "nft -f -"]);
    const rules = machine.read("rules");
    expect(rules).toContain('iifname != "lo" tcp dport { 6443, 2379, 2380 } drop');
    expect(rules).not.toContain("policy drop");
  });

  test("that fails is taken back at once, and said", async ({ machine }) => {
    machine.write("broken", "");
    const { exitCode, did } = await run(machine, "api", "cut");
    expect(exitCode).toBe(1);
    expect(did.slice(-2)).toEqual([resume, "systemctl stop oslo-failover-back.timer"]);
  });

  test("is taken back by what the timer would do, and the timer ends", async ({ machine }) => {
    const { exitCode, did } = await run(machine, "network", "back");
    expect(exitCode).toBe(0);
    expect(did).toEqual([
      "systemctl start oslo-failover-back.service",
      "systemctl stop oslo-failover-back.timer",
    ]);
  });

  test("is no unit that a verify stops", () => {
    const script = readFileSync(join(root, "verify/failover/cut.sh"), "utf8");
    expect(script).not.toMatch(/unit=oslo-verify-/);
  });
});
