import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { output, runProcess } from "../../../steps/ssh/process.ts";
import { connections } from "../../../steps/ssh/sessions.ts";
import { untilInputEnds } from "../../../verify/transport.ts";
import { planOf } from "../../stacks.ts";

/** Where a call's connection has its socket; what the call runs, or asks of the connection. */
function partsOf(command: readonly string[]) {
  const path = command.find((word) => word.startsWith("ControlPath="))?.split("=")[1] ?? "";
  return { path, last: command.at(-1), isExit: command.includes("exit") };
}

it("one connection is made to a node, pinned, and its sessions go over it", async () => {
  const calls: (readonly string[])[] = [];
  const ssh = connections(planOf("articles"), async (command) => {
    calls.push(command);
    return "";
  });
  const [a, b, c] = await Promise.all([ssh.to("cp-1"), ssh.to("cp-1"), ssh.to("worker-1")]);
  expect(a).toBe(b);
  expect(calls).toHaveLength(2);
  for (const call of calls) {
    expect(call).toEqual(
      expect.arrayContaining(["ControlMaster=yes", "StrictHostKeyChecking=yes"]),
    );
    expect(call.at(-1)).toBe("true");
  }
  const path = partsOf(calls[0] ?? []).path;
  expect(a.sshArguments).toContain(`ControlPath=${path}`);
  expect(c.sshArguments).not.toContain(`ControlPath=${path}`);
  expect(path.length).toBeLessThan(60);
  expect(existsSync(dirname(path))).toBe(true);

  await ssh.close();
  expect(calls.slice(2).map((call) => partsOf(call).isExit)).toEqual([true, true]);
  expect(existsSync(dirname(path))).toBe(false);
});

it("a connection that failed is tried again, and those that are open are ended all the same", async () => {
  let failures = 1;
  const exits: string[] = [];
  const ssh = connections(planOf("articles"), async (command) => {
    if (partsOf(command).isExit) exits.push(command.at(-1) ?? "");
    else if (failures-- > 0) throw new Error("Connection timed out");
    return "";
  });
  await expect(ssh.to("cp-1")).rejects.toThrow("Connection timed out");
  await ssh.to("cp-1");
  await expect(ssh.to("nobody")).rejects.toThrow("no node nobody");
  await ssh.close();
  expect(exits).toEqual(["root@cp-1.dev.example.no"]);
});

it("one that never connects does not hold up the end", async () => {
  let path = "";
  const ssh = connections(planOf("articles"), (command, options) => {
    path ||= partsOf(command).path;
    return new Promise((_, reject) => {
      options?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
    });
  });
  const reach = ssh.to("cp-1");
  const failed = expect(reach).rejects.toThrow("aborted");
  await expect.poll(() => path).not.toBe("");
  await ssh.close();
  await failed;
  expect(existsSync(dirname(path))).toBe(false);
});

it("a guest's host key is asked of its hypervisor first", async () => {
  const calls: string[] = [];
  const ssh = connections(planOf("libvirt"), async (command) => {
    calls.push(command.at(-1) ?? "");
    return "ssh-ed25519 AAAAguest\n";
  });
  const { sshArguments } = await ssh.to("worker-1");
  await ssh.close();
  expect(calls[0]).toMatch(/cat \S+\/host-key\.pub$/);
  expect(sshArguments.join(" ")).toContain("ssh-ed25519 AAAAguest");
});

it("at most eight connections are begun at a time", async () => {
  let begun = 0;
  let most = 0;
  const node = planOf("articles").nodes[0];
  if (node === undefined) throw new Error("the stack has no node");
  const nodes = Array.from({ length: 30 }, (_, i) => ({ ...node, name: `node-${i}` }));
  const ssh = connections({ ...planOf("articles"), nodes }, async () => {
    most = Math.max(most, ++begun);
    await new Promise((resolve) => setTimeout(resolve, 5));
    begun--;
    return "";
  });
  await Promise.all(nodes.map(({ name }) => ssh.to(name)));
  expect(most).toBe(8);
  await ssh.close();
});

it("a process tells its lines as they come, and its error in full", async () => {
  const lines: string[] = [];
  await output(["bash", "-c", "echo a; echo b"], { onLine: (line) => lines.push(line) });
  expect(lines).toEqual(["a", "b"]);
  await expect(output(["bash", "-c", "echo why >&2; exit 3"])).rejects.toThrow(/^why$/);
  await expect(output(["false"])).rejects.toThrow("false ended with 1");
});

it("a signal ends a process, though what it started holds its pipes", async () => {
  const ended = new AbortController();
  const running = runProcess(["bash", "-c", "echo up; sleep 60 & wait"], {
    signal: ended.signal,
    onLine: () => ended.abort(),
  });
  await expect(running).rejects.toThrow(/abort/i);
});

it("what is followed on a node ends with the connection, and so does all that it started", async () => {
  const lines: string[] = [];
  const ended = new AbortController();
  const mark = `oslo-follow-${process.pid}`;
  const script = untilInputEnds(`echo "$BASHPID"; bash -c 'exec -a ${mark} sleep 60'`);
  const running = runProcess(["setsid", "bash", "-s"], {
    ...{ input: script, holdsInput: true, signal: ended.signal },
    onLine: (line) => lines.push(line),
  });
  await expect.poll(() => lines.length).toBe(1);
  await expect.poll(() => count(mark)).toBe(1);
  ended.abort();
  await expect(running).rejects.toThrow();
  await expect.poll(() => count(mark)).toBe(0);
});

it("what is followed ends with its time, though nobody ends the connection", async () => {
  const mark = `oslo-limit-${process.pid}`;
  const script = untilInputEnds(`bash -c 'exec -a ${mark} sleep 60'`, "1s");
  const { status } = await runProcess(["setsid", "--wait", "bash", "-s"], {
    ...{ input: script, holdsInput: true, signal: AbortSignal.timeout(30_000) },
  });
  expect(status).not.toBe(0);
  await expect.poll(() => count(mark)).toBe(0);
});

it("what is followed and ends by itself ends the session, with its exit code", async () => {
  const script = untilInputEnds("echo done; return 7");
  const { status, stdout } = await runProcess(["setsid", "--wait", "bash", "-s"], {
    ...{ input: script, holdsInput: true, signal: AbortSignal.timeout(30_000) },
  });
  expect({ status, stdout }).toEqual({ status: 7, stdout: "done\n" });
});

async function count(name: string): Promise<number> {
  const { stdout } = await runProcess(["pgrep", "-c", "-f", `^${name} 60`]);
  return Number(stdout.trim());
}
