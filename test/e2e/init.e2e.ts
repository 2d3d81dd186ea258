import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { execa, type ResultPromise } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fingerprint } from "../../commands/init/machine.ts";
import type { Line } from "../../commands/status/assess.ts";
import { loadStackFile } from "../../config/load.ts";
import { run, waitFor } from "../lab/shell.ts";
import { ensureTools } from "../lab/tools.ts";
import { root } from "../root.ts";
import { type Host, Vlan } from "./vlan/vlan.ts";

// init and status against real sshd: three machines of a VLAN (network namespaces with this machine's own
// files), each with a host key of its own, and an operator who has a key in an ssh-agent. Needs root.

const names = ["m1", "m2", "m3"];
const vlan = new Vlan();
const folder = mkdtempSync(join(tmpdir(), "init-ssh-"));
const socket = join(folder, "agent");
const temporary = join(folder, "tmp");
mkdirSync(temporary);
const daemons = new Map<string, ResultPromise<{ reject: false }>>();
const stack = join(folder, "Pulumi.oslo.yaml");
/** Users of the machines, in the place of this machine's own; `passwd` is /etc/passwd there. */
const users = join(folder, "users");

beforeAll(async () => {
  await ensureTools();
  mkdirSync(users);
  for (const [name, line, mode] of [
    ["passwd", "debian:x:4711:4711::/:/bin/bash\n", 0o644],
    ["shadow", "debian:*:20000:0:99999:7:::\n", 0o600],
  ] as const)
    writeFileSync(join(users, name), `${readFileSync(`/etc/${name}`, "utf8")}${line}`, { mode });
  mayBecomeRoot("");
  // sshd reads authorized keys as the user who logs in.
  chmodSync(folder, 0o755);
  await vlan.up({ operator: "10.10.0.1", m1: "10.10.0.11", m2: "10.10.0.12", m3: "10.10.0.13" });
  const keygen = ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"];
  await run("ssh-keygen", [...keygen, join(folder, "operator")]);
  daemons.set("agent", execa("ssh-agent", ["-D", "-a", socket], { reject: false }));
  await waitFor("the ssh-agent", 60, () => existsSync(socket));
  await run("ssh-add", ["-q", join(folder, "operator")], { env: { SSH_AUTH_SOCK: socket } });
  // What the package's own unit makes before sshd starts.
  mkdirSync("/run/sshd", { recursive: true });
  for (const [i, name] of names.entries()) {
    const host = vlan.host(name);
    // A public address on another interface, as a rented machine has.
    await host.run("ip", "link", "add", "ens3", "type", "veth", "peer", "name", "uplink");
    await host.run("ip", "address", "add", `203.0.113.${11 + i}/24`, "dev", "ens3");
    await host.run("ip", "link", "set", "ens3", "up");
    await run("ssh-keygen", [...keygen, join(folder, name)]);
    startSshd(host);
  }
  await Promise.all(
    names.map((name) =>
      waitFor(`sshd of ${name}`, 60, async () =>
        (await operator("ssh-keyscan", "-T", "2", vlan.host(name).address)).stdout.includes("ssh-"),
      ),
    ),
  );
});

afterAll(async () => {
  for (const daemon of daemons.values()) {
    daemon.kill("SIGCONT");
    daemon.kill("SIGTERM");
  }
  await Promise.all(daemons.values());
  await vlan.down();
  rmSync(folder, { recursive: true });
});

function startSshd(host: Host): void {
  const options = [
    `HostKey=${join(folder, host.name)}`,
    `AuthorizedKeysFile=${join(folder, "operator.pub")}`,
    ...["StrictModes=no", "PidFile=none", "UsePAM=no", "PermitRootLogin=prohibit-password"],
  ].flatMap((option) => ["-o", option]);
  const binds = ["passwd", "shadow", "sudoers"].map(
    (name) => `mount --bind ${users}/${name} /etc/${name}`,
  );
  const script = `${binds.join(" && ")} && exec /usr/sbin/sshd "$@"`;
  const own = ["unshare", "--mount", "sh", "-c", script, "sshd"];
  daemons.set(host.name, host.start(...own, "-D", "-e", "-f", "/dev/null", ...options));
}

/** The whole of the machines' /etc/sudoers; the file itself stays, for it is mounted. */
function mayBecomeRoot(rule: string): void {
  writeFileSync(join(users, "sudoers"), `${rule}\n`, { mode: 0o440 });
}

/** A command in the operator's network, in a folder of the operator's. */
function operator(...command: string[]) {
  return typed("", ...command);
}

function typed(input: string, ...command: string[]) {
  const [program = "", ...args] = vlan.host("operator").command(...command);
  const env = { SSH_AUTH_SOCK: socket, XDG_STATE_HOME: folder, TMPDIR: temporary, NO_COLOR: "1" };
  return execa(program, args, { cwd: folder, env, input, reject: false });
}

const cli = [process.execPath, join(root, "commands/main.ts")];
/** As a person reads it in the console: by OpenSSH's own program, from the machine's own file. */
const console_ = async (name: string) => run("ssh-keygen", ["-lf", join(folder, `${name}.pub`)]);

describe("init", () => {
  const init = async (consoles: string[], user = "root", stack = "oslo") =>
    typed(
      `${(await Promise.all(consoles.map(console_))).join("\n")}\n\n`,
      ...[...cli, "init", stack],
      ...names.map((name) => `${user}@${vlan.host(name).address}`),
    );

  test("another machine's key: nothing is asked there, nothing is written", async () => {
    const { exitCode, stderr } = await init(["m2", "m1", "m3"]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/10\.10\.0\.11: what answers has another key .*Nothing was written/);
    expect(existsSync(stack)).toBe(false);
  });

  test("an agent without the key: every machine that lets nobody in is named", async () => {
    await run("ssh-add", ["-qD"], { env: { SSH_AUTH_SOCK: socket } });
    const { exitCode, stderr } = await init(names).finally(() =>
      run("ssh-add", ["-q", join(folder, "operator")], { env: { SSH_AUTH_SOCK: socket } }),
    );
    expect(exitCode).toBe(1);
    for (const name of names)
      expect(stderr).toMatch(
        new RegExp(
          `^${vlan.host(name).address}: cannot be asked as root: .*Permission denied .*ssh-add -l`,
          "m",
        ),
      );
    expect(existsSync(stack)).toBe(false);
  });

  test("writes what the machines are, and the loader takes it", async () => {
    const { exitCode, stdout, stderr } = await init(names);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const [, system = ""] =
      readFileSync("/etc/os-release", "utf8").match(/^PRETTY_NAME="(.*)"$/m) ?? [];
    const memory = Math.trunc(totalmem() / 1024 / 1024);
    for (const [i, name] of names.entries()) {
      const { address } = vlan.host(name);
      const line = stderr.split("\n").find((one) => one.startsWith(`${address}: ${system}, `));
      const size = `${availableParallelism()} CPUs, ${memory} MiB`;
      expect(line).toContain(`, Linux ${release()}, ${size}; `);
      expect(line).toContain(`eth0 ${address}/24`);
      expect(line).toContain(`ens3 203.0.113.${11 + i}/24`);
    }
    const { cluster, network, nodes } = loadStackFile(stack);
    expect(cluster).toMatchObject({ name: "oslo", endpoint: { host: "10.10.0.11" } });
    expect(network.vlan).toMatchObject({ interface: "eth0", subnets: ["10.10.0.0/24"] });
    expect(nodes.map(({ role, addresses, ssh }) => [role, addresses, ssh.hostKey])).toEqual(
      names.map((name, i) => [
        i === 0 ? "control-plane" : "worker",
        [vlan.host(name).address],
        readFileSync(join(folder, `${name}.pub`), "utf8").trim(),
      ]),
    );
    expect(stdout).toContain("Pulumi.oslo.yaml: 3 machines");
    expect(await operator(...cli, "check", "oslo")).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("a user whose sudo asks for a password: every machine is named, with the rule that helps", async () => {
    mayBecomeRoot("debian ALL=(ALL) ALL");
    const { exitCode, stderr } = await init(names, "debian", "sudo");
    expect(exitCode).toBe(1);
    for (const name of names)
      expect(stderr).toMatch(
        new RegExp(
          `^${vlan.host(name).address}: debian logs in, but cannot become root without a password \\(sudo: a password is required\\): .*echo 'debian ALL=\\(ALL\\) NOPASSWD:ALL' >/etc/sudoers.d/debian$`,
          "m",
        ),
      );
    expect(existsSync(join(folder, "Pulumi.sudo.yaml"))).toBe(false);
  });

  test("a user whose sudo asks for none: said, and written", async () => {
    mayBecomeRoot("debian ALL=(ALL) NOPASSWD:ALL");
    const { exitCode, stderr } = await init(names, "debian", "sudo");
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stderr.match(/ MiB, debian with sudo without a password; /g)).toHaveLength(names.length);
    const { nodes } = loadStackFile(join(folder, "Pulumi.sudo.yaml"));
    expect(nodes.map(({ ssh }) => ssh.user)).toEqual(names.map(() => "debian"));
  });

  test("each fingerprint is the one that OpenSSH prints", async () => {
    for (const name of names)
      expect(await console_(name)).toContain(
        ` ${fingerprint(readFileSync(join(folder, `${name}.pub`), "utf8"))} `,
      );
  });
});

describe("status", () => {
  const status = async () => {
    const start = performance.now();
    const { exitCode, stdout } = await operator(...cli, "status", "oslo", "--json");
    const seconds = (performance.now() - start) / 1000;
    const lines = JSON.parse(stdout) as Line[];
    return { exitCode, seconds, says: new Map(lines.map((line) => [line.what, line])) };
  };
  /** As soon as so many answer: beside much other work, one may take more than the four seconds. */
  const statusOf = async (machines: RegExp) => {
    let found = await status();
    await waitFor(`${machines}`, 300, async () => {
      if (!machines.test(found.says.get("machines")?.says ?? "")) found = await status();
      return machines.test(found.says.get("machines")?.says ?? "");
    });
    return found;
  };

  test("machines that answer, and are no cluster yet", async () => {
    const { exitCode, says } = await statusOf(/^3 answer$/);
    expect(exitCode).toBe(3);
    expect(says.get("machines")?.state).toBe("good");
    expect(says.get("nodes")).toMatchObject({ state: "open" });
    expect(says.get("steps")).toMatchObject({ state: "bad" });
    expect(says.get("steps")?.says).toContain("cp-1 (");
  });

  test("one that hangs and one that is gone: named, in bounded time, and nothing is left", async () => {
    daemons.get("m2")?.kill("SIGSTOP");
    daemons.get("m3")?.kill("SIGTERM");
    await daemons.get("m3");
    const { seconds, says } = await statusOf(
      /^2 of 3 do not answer: worker-1: nothing within 4 s; worker-2: .*Connection refused/,
    );
    expect(says.get("machines")).toMatchObject({ state: "open" });
    // Four seconds of waiting; the rest is the start of a process beside other work. ssh itself waits longer.
    expect(seconds).toBeLessThan(30);
    expect(readdirSync(temporary)).toEqual([]);
  });
});
