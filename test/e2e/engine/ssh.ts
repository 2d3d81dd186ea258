import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../../lab/shell.ts";
import { describeWhere } from "../../needs.ts";
import { freePorts, listens } from "../ports.ts";
import { failureOf, journaled, type Sandbox } from "./sandbox.ts";

const sshd = "/usr/sbin/sshd";

/** Remote commands, against an SSH server of the test's own on loopback. */
export function describeSsh(makeBox: () => Sandbox): void {
  describeWhere(existsSync(sshd), sshd)("by SSH", () => {
    const place = mkdtempSync(join(tmpdir(), "engine-ssh-"));
    const key = (name: string) => join(place, name);
    let port = 0;
    let server: ChildProcess;
    let agent: ChildProcess;
    let box: Sandbox;
    const socket = key("agent.sock");
    const connection = (more = {}) => {
      const [type, text] = readFileSync(`${key("host")}.pub`, "utf8").split(" ");
      const address = { host: "127.0.0.1", port, user: userInfo().username };
      return { ...address, agentSocketPath: socket, hostKey: `${type} ${text}`, ...more };
    };
    const start = async () => {
      server = spawn(sshd, ["-D", "-e", "-f", key("config")], { stdio: "ignore" });
      await waitFor("sshd to listen", 60, () => listens(port));
    };

    beforeAll(async () => {
      for (const name of ["host", "user"])
        execaSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key(name)]);
      chmodSync(place, 0o700);
      mkdirSync("/run/sshd", { recursive: true });
      [port = 0] = await freePorts(1);
      writeFileSync(key("config"), config(port, place));
      agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
      await waitFor("ssh-agent", 60, () => existsSync(socket));
      execaSync("ssh-add", ["-q", key("user")], { env: { SSH_AUTH_SOCK: socket } });
      await start();
      box = makeBox();
    });
    afterAll(() => {
      server?.kill();
      agent?.kill();
      box?.remove();
      rmSync(place, { recursive: true });
    });

    test("a command has its input and environment, and its delete dials the connection in the state", async () => {
      const args = {
        create: "cat; echo reason >&2; echo $ALLOWED",
        delete: `echo deleted after "$PULUMI_COMMAND_STDOUT" >>${box.file("journal")}`,
        stdin: "in\n",
        environment: { ALLOWED: 'a b"c' },
      };
      await box.up([{ name: "a", args, connection: connection() }]);
      expect(await box.outputs()).toMatchObject({ stdout: { a: 'in\na b"c' } });
      // A user and a port that were not given are there, and the whole connection is a secret.
      const state = await box.state();
      expect(state).not.toContain('"hostKey"');
      expect(state).toContain('"stderr": "reason"');
      // The program has forgotten where it was.
      await box.up([]);
      expect(box.journal()).toEqual(["deleted after in", 'a b"c']);
    });

    test("through a bastion, each with its own key", async () => {
      const proxied = connection({ proxy: connection() });
      const args = { create: "echo there", addPreviousOutputInEnv: false };
      await box.up([{ name: "b", args, connection: proxied }]);
      expect(await box.outputs()).toMatchObject({ stdout: { b: "there" } });
      await box.destroy();
    });

    test("what fails says how, and is not run again", async () => {
      const create = `echo run >>${box.file("journal")}; echo reason >&2; exit 3`;
      const args = { create, addPreviousOutputInEnv: false };
      const said = await failureOf(box.up([{ name: "c", args, connection: connection() }]));
      expect(said).toMatch(/Process exited with status 3: running ".*":\s+reason/);
      expect(box.journal()).toEqual(["run"]);
    });

    test("a variable that the host refuses is an error, and nothing is run", async () => {
      const args = { create: `echo run >>${box.file("journal")}`, environment: { REFUSED: "x" } };
      const said = await failureOf(box.up([{ name: "d", args, connection: connection() }]));
      expect(said).toContain('could not set environment variable "REFUSED"');
      expect(box.journal()).toEqual([]);
    });

    test("another host key, of the host or of the bastion, is refused", async () => {
      const other = readFileSync(`${key("user")}.pub`, "utf8")
        .split(" ")
        .slice(0, 2)
        .join(" ");
      const wrong = connection({ hostKey: other, dialErrorLimit: 0 });
      for (const one of [wrong, connection({ dialErrorLimit: 0, proxy: wrong })]) {
        const args = { create: `echo run >>${box.file("journal")}` };
        expect(await failureOf(box.up([{ name: "e", args, connection: one }]))).toMatch(
          /failed attempts: |host key mismatch/,
        );
        expect(box.journal()).toEqual([]);
      }
    });

    test("dialling is tried again until the host is there", async () => {
      server.kill();
      await waitFor("sshd to be gone", 60, async () => !(await listens(port)));
      const args = { create: "echo up", addPreviousOutputInEnv: false };
      const late = box.up([{ name: "f", args, connection: connection({ dialErrorLimit: -1 }) }]);
      await waitFor("a second dial", 100, () => /Dial 2\/inf failed/.test(box.log.join("")));
      await start();
      expect(await late).toMatchObject({ create: expect.any(Number) });
      const limited = connection({ port: (await freePorts(1))[0], dialErrorLimit: 1 });
      const said = await failureOf(
        box.up([journaled("g"), { name: "h", args, connection: limited }]),
      );
      expect(said).toContain("after 1 failed attempts: ");
      await box.destroy();
    });
  });
}

function config(port: number, place: string): string {
  return [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${join(place, "host")}`,
    `AuthorizedKeysFile ${join(place, "user.pub")}`,
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "PermitRootLogin yes",
    "AcceptEnv ALLOWED PULUMI_COMMAND_STDOUT PULUMI_COMMAND_STDERR",
    "",
  ].join("\n");
}
