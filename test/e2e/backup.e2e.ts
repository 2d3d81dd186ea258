import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { waitFor } from "../lab/shell.ts";
import { describeRehearsal } from "./backup/rehearsal.ts";
import { describeRestore } from "./backup/restore.ts";
import { Vault } from "./backup/vault.ts";

const vault = new Vault();
const { plane, machine } = vault;

beforeAll(async () => {
  // Retention keeps one copy of each day: all of this file has to run within one.
  const [day, wanted] = [86_400_000, 1_800_000];
  await waitFor("a day that lasts", 2000, () => day - (Date.now() % day) > wanted);
  await vault.start();
});

afterAll(() => vault.remove());

describe("a copy", () => {
  it("reaches the target, and holds all that a restore needs", async () => {
    const { exitCode, all } = await vault.backUp();
    expect(all).toBe("");
    expect(exitCode).toBe(0);
    expect(vault.there()).toHaveLength(1);
    const set = vault.open(vault.there()[0] as string);
    const facts = JSON.parse(readFileSync(join(set, "set.json"), "utf8"));
    expect(facts).toMatchObject({
      cluster: "test",
      uid: vault.uid,
      node: "cp-1",
      encryptionKeys: ["key1"],
    });
    expect(facts.counts.secrets).toBe(2);
    expect(Object.keys(facts.files)).toEqual(
      expect.arrayContaining([
        "snapshot.db",
        "pki/ca.key",
        "pki/sa.key",
        "pki/etcd/ca.key",
        "encryption/config.yaml",
      ]),
    );
    expect(parse(readFileSync(join(set, "encryption/config.yaml"), "utf8")).kind).toBe(
      "EncryptionConfiguration",
    );
    expect(vault.status()).toMatchObject({
      error: null,
      copiesHere: 1,
      targets: [{ name: "vault", error: null, copies: 1 }],
    });
    expect(machine.read("state/backup/metrics.prom")).toContain("oslo_cluster_backup_failed 0");
  });

  it("is whole though the first connection to the API server is cut", async () => {
    const { stdout } = await plane.run("bash", "-c", `PATH=\${PATH#*:}; command -v kubectl`);
    machine.addProgram(
      "kubectl",
      `if [[ $* == *" apply "* && ! -e $MACHINE/cut ]]; then
  touch "$MACHINE/cut"
  echo "Unable to connect to the server: unexpected EOF" >&2
  exit 1
fi
exec ${stdout.trim()} "$@"`,
    );
    const { exitCode, all } = await vault.backUp();
    machine.forget("bin/kubectl");
    expect({ exitCode, all }).toEqual({ exitCode: 0, all: "" });
    expect(existsSync(machine.path("cut"))).toBe(true);
    const set = vault.open(vault.newest());
    expect(JSON.parse(readFileSync(join(set, "set.json"), "utf8")).canary).not.toBeNull();
  });
});

describe("what may go wrong", () => {
  it("the target is away: said, kept here, and brought once it is back", async () => {
    await plane.stop("sshd");
    const before = vault.there();
    const { exitCode, all } = await vault.backUp();
    expect(exitCode).toBe(1);
    expect(all).toMatch(/error: target vault: cannot be listed: .*(refused|connect)/);
    expect(vault.status()).toMatchObject({
      error: expect.stringContaining("target vault"),
      targets: [{ lastSuccess: expect.any(Number) }],
    });
    vault.startSshd();
    await vault.sshdAnswers();
    expect((await vault.backUp()).exitCode).toBe(0);
    expect(vault.there()).toHaveLength(before.length + 2);
    expect(vault.status()).toMatchObject({ error: null, targets: [{ error: null }] });
  });

  it("the target loses a copy, and cuts another one short: named, and sent again", async () => {
    const [first = "", second = ""] = vault.there();
    rmSync(vault.path(first));
    truncateSync(vault.path(second), 100);
    const { exitCode, all } = await vault.backUp();
    expect(exitCode).toBe(1);
    expect(all).toContain(`target vault: has lost or changed copies: ${first} ${second}`);
    expect((await vault.backUp()).exitCode).toBe(0);
    expect(statSync(vault.path(second)).size).toBe(
      statSync(machine.path(`state/backup/copies/${second}`)).size,
    );
  });

  it("the target takes a copy and keeps something else of the same size", async () => {
    // Its disk writes zeros, once a session has ended: before the next one at the latest.
    await plane.stop("sshd");
    machine.write("sshd/begun", "");
    machine.write(
      "sshd/lossy",
      `#!/bin/bash
lose() {
  find ${vault.folder} -name '*.age' -newer ${machine.path("sshd/begun")} -exec sh -c 'size=$(stat -c %s "$1"); head -c "$size" /dev/zero >"$1"' sh {} ';'
}
lose
/usr/lib/openssh/sftp-server
lose
`,
    );
    vault.startSshd(machine.path("sshd/lossy"));
    await vault.sshdAnswers();
    const { exitCode, all } = await vault.backUp();
    expect(exitCode).toBe(1);
    expect(all).toMatch(/target vault: \S+ was written, and other content is read back/);
    await plane.stop("sshd");
    vault.startSshd();
    await vault.sshdAnswers();
    expect((await vault.backUp()).exitCode).toBe(0);
  });

  it("the disk is full: nothing is written, and the former copies stay", async () => {
    const copies = machine.path("state/backup");
    const names = readdirSync(join(copies, "copies"));
    execFileSync("cp", ["-a", copies, machine.path("saved")]);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", copies]);
    try {
      execFileSync("cp", ["-aT", machine.path("saved"), copies]);
      const { exitCode, all } = await vault.backUp();
      expect(exitCode).toBe(1);
      expect(all).toMatch(/disk full: \d+ bytes free/);
      expect(vault.status().error).toMatch(/^disk full/);
      expect(readdirSync(join(copies, "copies"))).toEqual(names);
    } finally {
      execFileSync("umount", [copies]);
    }
  });

  it("the clock has gone back: a copy is made, nothing is deleted", async () => {
    vault.configure({ "backup.retention": { recent: 1, daily: 0, weekly: 0 } });
    const names = readdirSync(machine.path("state/backup/copies"));
    const future = "20991231T000000Z-cp-1-r5.tar.gz.age";
    machine.write(`state/backup/copies/${future}`, "x");
    const { exitCode, all } = await vault.backUp();
    expect(exitCode).toBe(1);
    expect(all).toMatch(/the clock says .*, before the newest copy \(20991231T000000Z\)/);
    expect(readdirSync(machine.path("state/backup/copies"))).toHaveLength(names.length + 2);
    machine.forget(`state/backup/copies/${future}`);
    rmSync(vault.path(future));
    vault.configure({});
  });

  it("the collector's directory is another user's: nothing is written or opened through its links", async () => {
    machine.write("victim", "untouched\n");
    chmodSync(machine.path("victim"), 0o600);
    mkdirSync(machine.path("textfile"));
    for (const name of ["a.prom", "a.prom.new"])
      symlinkSync(machine.path("victim"), machine.path(`textfile/${name}`));
    vault.configure({ "backup.metricsFile": machine.path("textfile/a.prom") });
    expect((await vault.backUp()).exitCode).toBe(0);
    expect(machine.read("victim")).toBe("untouched\n");
    expect(statSync(machine.path("victim")).mode & 0o777).toBe(0o600);
    const metrics = lstatSync(machine.path("textfile/a.prom"));
    expect(metrics.isFile()).toBe(true);
    expect(metrics.mode & 0o777).toBe(0o644);
    vault.configure({});
  });

  it.each([
    ["of a time to come", JSON.stringify({ rehearsedAt: 9_999_999_999 })],
    ["that is none", "nonsense"],
    ["without an end", JSON.stringify({ rehearsedAt: 1, more: "x".repeat(1_000_000) })],
  ])("the target has a report %s: it takes no place of a true one", async (_, report) => {
    const folder = vault.path("rehearsal");
    mkdirSync(folder);
    writeFileSync(join(folder, "report.json"), report);
    writeFileSync(join(folder, "report.json.sig"), "signature");
    try {
      expect((await vault.backUp()).exitCode).toBe(0);
      expect(machine.read("state/backup/rehearsal/report.json")).toBe("");
    } finally {
      rmSync(folder, { recursive: true });
      rmSync(machine.path("state/backup/rehearsal"), { recursive: true, force: true });
    }
  });

  it("etcd does not answer: no copy, and why", async () => {
    const before = vault.there();
    plane.stopKubelet();
    await plane.stop("etcd");
    const library = machine.read("lib/lib.sh");
    machine.write("lib/lib.sh", library.replace("ask_seconds=30", "ask_seconds=1"));
    const { exitCode, all } = await vault.backUp();
    machine.write("lib/lib.sh", library);
    expect(exitCode).toBe(1);
    expect(all).toContain("cannot read what its cluster agreed on");
    expect(vault.there()).toEqual(before);
    plane.startKubelet();
    await plane.apiReady();
  });
});

describe("retention", () => {
  it("keeps the newest ones, of each day and of each week, here and there, and nothing else's", async () => {
    vault.configure({ "backup.retention": { recent: 2, daily: 2, weekly: 3 } });
    const stranger = "20250101T000000Z-cp-2-r5.tar.gz.age";
    const old = [
      "20250106T010000Z",
      "20250113T010000Z",
      "20250114T010000Z",
      "20250114T020000Z",
    ].map((stamp) => `${stamp}-cp-1-r5.tar.gz.age`);
    for (const name of [...old, stranger]) writeFileSync(vault.path(name), "x");
    const { all, exitCode } = await vault.backUp();
    expect(all).toBe("");
    expect(exitCode).toBe(0);
    const left = vault.there();
    // The two newest, of today; the newest of two days and of three weeks that have any.
    expect(left.filter((name) => name.startsWith("2025"))).toEqual(
      [stranger, old[0], old[3]].sort(),
    );
    expect(left.filter((name) => !name.startsWith("2025"))).toHaveLength(2);
    expect(readdirSync(machine.path("state/backup/copies"))).toHaveLength(2);
    vault.configure({});
  });
});

describeRehearsal(vault);

describeRestore(vault);
