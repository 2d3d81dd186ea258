import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { dropsScript } from "../../commands/debug.ts";
import { untilInputEnds } from "../../verify/transport.ts";
import { describeOnLinux } from "../needs.ts";
import { Machine } from "../steps/machine.ts";

/** ctr with one agent: prints flows, and hands on to the container's process what it is sent, as the real one does. */
const ctr = `
case "$3 $4" in
  "containers list") echo agent ;;
  "tasks list") echo 'TASK PID STATUS' && echo 'agent 101 RUNNING' ;;
  "tasks exec")
    setsid "\${@:8}" &
    process=$!
    trap 'kill -PIPE $process; touch "$MACHINE/cut"' PIPE
    trap 'kill -TERM $process; exit 143' TERM
    while sleep 0.1; do echo flow || true; done 2>/dev/null ;;
esac
`;

describeOnLinux("dropped flows", () => {
  test("nobody asks Hubble any more once the connection has ended, also while it prints", async () => {
    const mark = `oslo-hubble-${process.pid}`;
    const machine = new Machine("oslo");
    onTestFinished(async () => {
      await execa("pkill", ["-f", `^${mark} `], { reject: false });
      machine.remove();
    });
    machine.addProgram("ctr", ctr);
    // A program in Go lets a SIGPIPE be that another process sends.
    machine.addProgram("hubble", `trap '' PIPE; exec -a ${mark} sleep 600`);
    const asking = async () =>
      (await execa("pgrep", ["-f", `^${mark} `], { reject: false })).stdout;

    const session = spawn("setsid", ["bash", "-s"], {
      env: { PATH: `${machine.path("bin")}:${process.env.PATH}`, MACHINE: machine.path(".") },
      stdio: ["pipe", "pipe", "ignore"],
    });
    session.stdin.write(untilInputEnds(dropsScript("")));
    await expect.poll(asking).not.toBe("");
    session.stdout.destroy();
    await expect.poll(() => existsSync(machine.path("cut"))).toBe(true);
    session.stdin.end();
    await expect.poll(asking, { timeout: 30_000 }).toBe("");
  });
});
