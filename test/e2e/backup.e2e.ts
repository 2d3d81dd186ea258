import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
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
import { knownHosts } from "../../plan/backup.ts";
import type { Report } from "../../verify/proofs/backup.ts";
import { waitFor } from "../lab/shell.ts";
import { root } from "../root.ts";
import { writeBackupStack } from "./backup-stack.ts";
import { encryption, LoopbackControlPlane } from "./loopback.ts";

const plane = new LoopbackControlPlane();
const { machine } = plane;
const vault = machine.path("vault");
let uid = "";

beforeAll(async () => {
  execFileSync("age-keygen", ["-o", machine.path("operator.key")], { stdio: "ignore" });
  await plane.start();
  const { stdout } = await plane.kubectl(
    "get",
    "namespace",
    "kube-system",
    "-o",
    "jsonpath={.metadata.uid}",
  );
  uid = stdout;
  await plane.kubectl(
    "create",
    "secret",
    "generic",
    "canary",
    "--from-literal=value=squirrel-in-the-snow",
  );
  makeSshKeys();
  startSshd();
  configure({});
  await sshdAnswers();
});

afterAll(() => plane.remove());

/** The node's documents, as the plan makes them of a stack with this target. */
function configure(changes: Record<string, unknown>): void {
  const sftp = {
    ...{ host: "127.0.0.1", port: 2222, user: "root", directory: vault },
    hostKey: machine.read("sshd/host.pub").trim(),
  };
  const target = { name: "vault", region: "NO-OSL-2", sftp };
  const { backup } = writeBackupStack(machine, [target], changes, () => ({
    key_file: machine.path("state/backup/id_ed25519"),
    known_hosts_file: machine.path("etc/oslo-cluster/known-hosts"),
  }));
  machine.write("etc/oslo-cluster/known-hosts", `${knownHosts(backup.targets)}\n`);
}

function makeSshKeys(): void {
  mkdirSync(machine.path("sshd"), { recursive: true });
  mkdirSync(machine.path("state/backup"), { recursive: true });
  for (const key of ["sshd/host", "state/backup/id_ed25519"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", machine.path(key)]);
  }
  machine.write("sshd/authorized_keys", machine.read("state/backup/id_ed25519.pub"));
  mkdirSync("/run/sshd", { recursive: true });
}

/** A real sshd in the namespace, whose one account may do SFTP alone. */
function startSshd(command = "internal-sftp"): void {
  plane.startSshd(
    { hostKey: "sshd/host", authorizedKeys: "sshd/authorized_keys" },
    command,
    `Subsystem sftp ${command}`,
  );
}

const backUp = () => plane.attempt("bash", machine.path("lib/backup.sh"));
const status = () => JSON.parse(machine.read("state/backup/status.json"));
const there = () => {
  const folder = join(vault, "test", uid);
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(".age"))
        .sort()
    : [];
};

describe("a copy", () => {
  it("reaches the target, and holds all that a restore needs", async () => {
    const { exitCode, all } = await backUp();
    expect(all).toBe("");
    expect(exitCode).toBe(0);
    expect(there()).toHaveLength(1);
    const set = open(there()[0] as string);
    const facts = JSON.parse(readFileSync(join(set, "set.json"), "utf8"));
    expect(facts).toMatchObject({ cluster: "test", uid, node: "cp-1", encryptionKeys: ["key1"] });
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
    expect(status()).toMatchObject({
      error: null,
      copiesHere: 1,
      targets: [{ name: "vault", error: null, copies: 1 }],
    });
    expect(machine.read("state/backup/metrics.prom")).toContain("oslo_cluster_backup_failed 0");
  });
});

describe("what may go wrong", () => {
  it("the target is away: said, kept here, and brought once it is back", async () => {
    await plane.stop("sshd");
    const before = there();
    const { exitCode, all } = await backUp();
    expect(exitCode).toBe(1);
    expect(all).toMatch(/error: target vault: cannot be listed: .*(refused|connect)/);
    expect(status()).toMatchObject({
      error: expect.stringContaining("target vault"),
      targets: [{ lastSuccess: expect.any(Number) }],
    });
    startSshd();
    await sshdAnswers();
    expect((await backUp()).exitCode).toBe(0);
    expect(there()).toHaveLength(before.length + 2);
    expect(status()).toMatchObject({ error: null, targets: [{ error: null }] });
  });

  it("the target loses a copy, and cuts another one short: named, and sent again", async () => {
    const [first = "", second = ""] = there();
    rmSync(join(vault, "test", uid, first));
    truncateSync(join(vault, "test", uid, second), 100);
    const { exitCode, all } = await backUp();
    expect(exitCode).toBe(1);
    expect(all).toContain(`target vault: has lost or changed copies: ${first} ${second}`);
    expect((await backUp()).exitCode).toBe(0);
    expect(statSync(join(vault, "test", uid, second)).size).toBe(
      statSync(machine.path(`state/backup/copies/${second}`)).size,
    );
  });

  it("the target takes a copy and keeps something else of the same size", async () => {
    // Its disk writes zeros, once a session has ended.
    await plane.stop("sshd");
    machine.write(
      "sshd/lossy",
      `#!/bin/bash
/usr/lib/openssh/sftp-server
find ${vault} -name '*.age' -mmin -0.05 -exec sh -c 'size=$(stat -c %s "$1"); head -c "$size" /dev/zero >"$1"' sh {} ';'
`,
    );
    startSshd(machine.path("sshd/lossy"));
    await sshdAnswers();
    const { exitCode, all } = await backUp();
    expect(exitCode).toBe(1);
    expect(all).toMatch(/target vault: \S+ was written, and other content is read back/);
    await plane.stop("sshd");
    startSshd();
    await sshdAnswers();
    expect((await backUp()).exitCode).toBe(0);
  });

  it("the disk is full: nothing is written, and the former copies stay", async () => {
    const copies = machine.path("state/backup");
    const names = readdirSync(join(copies, "copies"));
    execFileSync("cp", ["-a", copies, machine.path("saved")]);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", copies]);
    try {
      execFileSync("cp", ["-aT", machine.path("saved"), copies]);
      const { exitCode, all } = await backUp();
      expect(exitCode).toBe(1);
      expect(all).toMatch(/disk full: \d+ bytes free/);
      expect(status().error).toMatch(/^disk full/);
      expect(readdirSync(join(copies, "copies"))).toEqual(names);
    } finally {
      execFileSync("umount", [copies]);
    }
  });

  it("the clock has gone back: a copy is made, nothing is deleted", async () => {
    configure({ "backup.retention": { recent: 1, daily: 0, weekly: 0 } });
    const names = readdirSync(machine.path("state/backup/copies"));
    const future = "20991231T000000Z-cp-1-r5.tar.gz.age";
    machine.write(`state/backup/copies/${future}`, "x");
    const { exitCode, all } = await backUp();
    expect(exitCode).toBe(1);
    expect(all).toMatch(/the clock says .*, before the newest copy \(20991231T000000Z\)/);
    expect(readdirSync(machine.path("state/backup/copies"))).toHaveLength(names.length + 2);
    machine.forget(`state/backup/copies/${future}`);
    rmSync(join(vault, "test", uid, future));
    configure({});
  });

  it("the collector's directory is another user's: nothing is written or opened through its links", async () => {
    machine.write("victim", "untouched\n");
    chmodSync(machine.path("victim"), 0o600);
    mkdirSync(machine.path("textfile"));
    for (const name of ["a.prom", "a.prom.new"])
      symlinkSync(machine.path("victim"), machine.path(`textfile/${name}`));
    configure({ "backup.metricsFile": machine.path("textfile/a.prom") });
    expect((await backUp()).exitCode).toBe(0);
    expect(machine.read("victim")).toBe("untouched\n");
    expect(statSync(machine.path("victim")).mode & 0o777).toBe(0o600);
    const metrics = lstatSync(machine.path("textfile/a.prom"));
    expect(metrics.isFile()).toBe(true);
    expect(metrics.mode & 0o777).toBe(0o644);
    configure({});
  });

  it.each([
    ["of a time to come", JSON.stringify({ rehearsedAt: 9_999_999_999 })],
    ["that is none", "nonsense"],
    ["without an end", JSON.stringify({ rehearsedAt: 1, more: "x".repeat(1_000_000) })],
  ])("the target has a report %s: it takes no place of a true one", async (_, report) => {
    const folder = join(vault, "test", uid, "rehearsal");
    mkdirSync(folder);
    writeFileSync(join(folder, "report.json"), report);
    writeFileSync(join(folder, "report.json.sig"), "signature");
    try {
      expect((await backUp()).exitCode).toBe(0);
      expect(machine.read("state/backup/rehearsal/report.json")).toBe("");
    } finally {
      rmSync(folder, { recursive: true });
      rmSync(machine.path("state/backup/rehearsal"), { recursive: true, force: true });
    }
  });

  it("etcd does not answer: no copy, and why", async () => {
    const before = there();
    plane.stopKubelet();
    await plane.stop("etcd");
    const { exitCode, all } = await backUp();
    expect(exitCode).toBe(1);
    expect(all).toContain("cannot read what its cluster agreed on");
    expect(there()).toEqual(before);
    plane.startKubelet();
    await plane.apiReady();
  });
});

describe("retention", () => {
  it("keeps the newest ones, of each day and of each week, here and there, and nothing else's", async () => {
    configure({ "backup.retention": { recent: 2, daily: 2, weekly: 3 } });
    const stranger = "20250101T000000Z-cp-2-r5.tar.gz.age";
    const old = [
      "20250106T010000Z",
      "20250113T010000Z",
      "20250114T010000Z",
      "20250114T020000Z",
    ].map((stamp) => `${stamp}-cp-1-r5.tar.gz.age`);
    for (const name of [...old, stranger]) writeFileSync(join(vault, "test", uid, name), "x");
    const { all, exitCode } = await backUp();
    expect(all).toBe("");
    expect(exitCode).toBe(0);
    const left = there();
    // The two newest, of today; the newest of two days and of three weeks that have any.
    expect(left.filter((name) => name.startsWith("2025"))).toEqual(
      [stranger, old[0], old[3]].sort(),
    );
    expect(left.filter((name) => !name.startsWith("2025"))).toHaveLength(2);
    expect(readdirSync(machine.path("state/backup/copies"))).toHaveLength(2);
    configure({});
  });
});

/** What an operator runs, in the namespace, with the agent that has the target's key. */
const operator = (verb: string, ...words: string[]) => {
  const line =
    'eval "$(ssh-agent)" >/dev/null; trap "kill $SSH_AGENT_PID" EXIT; ssh-add -q "$0"; "$@"';
  const command = [
    process.execPath,
    join(root, "commands/main.ts"),
    ...["etcd", verb, machine.path("Pulumi.test.yaml")],
  ];
  const key = machine.path("state/backup/id_ed25519");
  return plane.attempt("bash", "-c", line, key, ...command, ...words);
};

describe("a rehearsal", () => {
  const rehearse = async (...more: string[]) => {
    const words = ["--identity", machine.path("operator.key"), "--sign", machine.path("sshd/host")];
    const { exitCode, stdout, all } = await operator(
      "rehearse",
      ...words,
      "--binaries",
      plane.programs,
      ...more,
    );
    const report = stdout.startsWith("{") ? (JSON.parse(stdout) as Report) : undefined;
    return { exitCode, report, all };
  };
  const put = (name: string, content: Buffer) =>
    writeFileSync(join(vault, "test", uid, name), content);
  const newest = () => there().at(-1) as string;
  const later = "20991231T000000Z-cp-1-r9.tar.gz.age";
  const removeLater = () => rmSync(join(vault, "test", uid, later), { force: true });

  it("decrypts, restores and compares the newest copy, and its report reaches the node", async () => {
    await backUp();
    const { exitCode, report, all } = await rehearse();
    expect(all).toBe(all);
    expect(report).toMatchObject({ uid, problems: [] });
    expect(exitCode).toBe(0);
    expect(report?.objects).toBeGreaterThan(50);
    console.log(`rehearsed in ${report?.seconds} s: ${report?.objects} objects`);
    await backUp();
    const signers = machine.path("signers");
    writeFileSync(signers, `rehearsal ${machine.read("sshd/host.pub")}`);
    const folder = machine.path("state/backup/rehearsal");
    const verify = await plane.attempt(
      "bash",
      "-c",
      `ssh-keygen -Y verify -f ${signers} -I rehearsal -n oslo-cluster-rehearsal -s ${folder}/report.json.sig <${folder}/report.json`,
    );
    expect(verify).toMatchObject({ exitCode: 0 });
  });

  it.each([
    ["an empty copy", () => Buffer.alloc(0)],
    [
      "a truncated copy",
      () => readFileSync(join(vault, "test", uid, newest())).subarray(0, 20_000),
    ],
    [
      "a copy for another key",
      () => {
        const other = machine.path("other.key");
        if (!existsSync(other)) execFileSync("age-keygen", ["-o", other], { stdio: "ignore" });
        const to = execFileSync("age-keygen", ["-y", other], { encoding: "utf8" }).trim();
        return execFileSync("age", ["--encrypt", "-r", to], { input: "x" });
      },
    ],
  ])("is red with %s", async (_, content) => {
    put(later, content());
    try {
      const { exitCode, report } = await rehearse();
      expect(exitCode).toBe(3);
      expect(report?.problems[0]).toMatch(/^the copy cannot be decrypted and unpacked: ./);
    } finally {
      removeLater();
    }
  });

  it("is red with an old copy", async () => {
    const old = "20250101T000000Z-cp-1-r1.tar.gz.age";
    put(old, readFileSync(join(vault, "test", uid, newest())));
    const { exitCode, report } = await rehearse("--copy", old);
    rmSync(join(vault, "test", uid, old));
    expect(exitCode).toBe(3);
    expect(report?.problems).toEqual([
      expect.stringMatching(/^it was renamed: /),
      expect.stringMatching(/^the newest copy is \d+ minutes old, allowed 125$/),
    ]);
  });

  it("is red with a set whose Secrets need another key, and with one that lost objects", async () => {
    const set = open(newest());
    writeFileSync(join(set, "encryption/config.yaml"), encryption("key9"));
    const facts = JSON.parse(readFileSync(join(set, "set.json"), "utf8"));
    facts.counts.configmaps += 1;
    facts.files["encryption/config.yaml"] = digest(encryption("key9"));
    facts.takenAt = Date.parse("2099-12-31T00:00:00Z") / 1000;
    writeFileSync(join(set, "set.json"), JSON.stringify(facts));
    sign(set);
    pack(set, later);
    try {
      const { exitCode, report } = await rehearse();
      expect(exitCode).toBe(3);
      expect(report?.problems[0]).toMatch(
        /^configmaps: \d+ objects were packed, \d+ are restored$/,
      );
      expect(report?.problems.length).toBeGreaterThan(1);
    } finally {
      removeLater();
    }
  });

  it("is red with a copy that somebody else has made for the same recipients", async () => {
    pack(forged(newest(), "rehearsed"), later);
    try {
      const { exitCode, report } = await rehearse();
      expect(exitCode).toBe(3);
      expect(report?.problems[0]).toBe("it is not signed by its cluster's CA: no restore takes it");
    } finally {
      removeLater();
    }
  });

  it("says what is missing where there is no copy, or no such target", async () => {
    expect((await rehearse("--from", "attic")).all).toContain(
      "no target attic; backup.targets has: vault",
    );
    expect((await rehearse("--copy", "nothing")).all).toContain("target vault has no copy nothing");
  });
});

describe("a restore", () => {
  const restore = (command: string, input?: Buffer, by = "") =>
    plane.attempt(
      "bash",
      "-c",
      `${by} bash "$0" ${command} ${input ? `<"${machine.path("input")}"` : ""}`,
      machine.path("lib/restore.sh"),
    );
  const state = async () => JSON.parse((await restore("state")).stdout);
  const receive = async (name: string, ...words: string[]) => {
    const set = execFileSync(
      "age",
      ["--decrypt", "-i", machine.path("operator.key"), join(vault, "test", uid, name)],
      { maxBuffer: 2 ** 30 },
    );
    writeFileSync(machine.path("input"), set);
    return restore(["receive", ...words].join(" "), set);
  };

  it("after etcd's data is lost: what was there before the copy is there, what came after is gone", async () => {
    await plane.kubectl("create", "configmap", "before");
    expect((await backUp()).exitCode).toBe(0);
    const newest = there().at(-1) as string;
    await plane.kubectl("create", "configmap", "after");
    const watch = plane.attempt(
      "kubectl",
      "--kubeconfig",
      machine.path("etc/kubernetes/admin.conf"),
      "get",
      "configmaps",
      "--watch",
    );
    await plane.stop("etcd");
    rmSync(machine.path("etcd/member"), { recursive: true });
    const start = performance.now();
    // As `etcd restore` reads the time from the name.
    const iso = newest.replace(/^(....)(..)(..)T(..)(..)(..)Z.*$/, "$1-$2-$3T$4:$5:$6Z");
    const received = await receive(newest, `${Date.parse(iso) / 1000}`);
    expect(received).toMatchObject({ exitCode: 0 });
    expect(await restore("apply copy")).toMatchObject({
      exitCode: 0,
      all: expect.stringContaining(`cluster ${uid}`),
    });
    console.log(`restored in ${((performance.now() - start) / 1000).toFixed(1)} s`);
    await watch;
    const { stdout } = await plane.kubectl("get", "configmaps", "-o", "name");
    expect(stdout).toContain("configmap/before");
    expect(stdout).not.toContain("configmap/after");
    const { stdout: secret } = await plane.kubectl(
      "get",
      "secret",
      "canary",
      "-o",
      "jsonpath={.data.value}",
    );
    expect(Buffer.from(secret, "base64").toString()).toBe("squirrel-in-the-snow");
    expect(existsSync(machine.path("state/restore/set"))).toBe(false);
    expect(await state()).toMatchObject({ phase: "serving", quorum: true, uid, members: 1 });
    // Whoever has read an earlier state asks for it again, as `etcd restore` does after a kill of its client.
    expect(await restore("apply survivor")).toMatchObject({
      exitCode: 0,
      all: expect.stringContaining(`the API server answers: cluster ${uid}`),
    });
    await restore("finish");
  });

  it("killed at any moment, it is taken up: from a copy", async () => {
    await plane.kubectl("create", "configmap", "before-kills");
    expect((await backUp()).exitCode).toBe(0);
    await receive(there().at(-1) as string);
    const phases = new Set<string>();
    for (const seconds of [0.05, 0.3, 0.6, 1, 1.5, 2, 3, 4]) {
      await restore(`apply copy`, undefined, `timeout --signal KILL ${seconds}`);
      phases.add((await state()).phase);
    }
    console.log(`killed in the phases ${[...phases].join(", ")}`);
    expect(phases.size).toBeGreaterThan(1);
    if (!phases.has("serving")) expect(await restore("apply copy")).toMatchObject({ exitCode: 0 });
    const { stdout } = await plane.kubectl("get", "configmap", "before-kills", "-o", "name");
    expect(stdout).toBe("configmap/before-kills");
    await restore("finish");
  });

  const kill = async () => {
    plane.stopKubelet();
    for (const name of ["etcd", "kube-apiserver"]) await plane.stop(name);
    machine.write("tasks", "");
  };

  it("from what an etcd that was killed has left, which is newer than any copy", async () => {
    await plane.kubectl("create", "configmap", "newest");
    await kill();
    const found = await state();
    expect(found).toMatchObject({ made: true, data: true, quorum: false, uid, phase: "none" });
    expect(found.revision).toBeGreaterThan(1_000_000_000);
    expect(await restore("salvage")).toMatchObject({ exitCode: 0 });
    plane.startKubelet();
    expect(await restore("apply survivor")).toMatchObject({ exitCode: 0 });
    const { stdout } = await plane.kubectl("get", "configmap", "newest", "-o", "name");
    expect(stdout).toBe("configmap/newest");
    await restore("finish");
    expect(await state()).toMatchObject({ phase: "none", quorum: true });
  });

  it("from its database alone where its log cannot be read", async () => {
    await kill();
    const log = machine.path("etcd/member/wal");
    for (const name of readdirSync(log)) writeFileSync(join(log, name), "not a log");
    expect((await restore("salvage")).all).toContain("its database is taken alone");
    plane.startKubelet();
    expect(await restore("apply survivor")).toMatchObject({ exitCode: 0 });
    const { stdout } = await plane.kubectl("get", "configmap", "newest", "-o", "name");
    expect(stdout).toBe("configmap/newest");
    await restore("finish");
  });

  it("a copy of another cluster, or with another CA, is refused before anything is touched", async () => {
    const newest = there().at(-1) as string;
    machine.write("state/uid", "11111111-1111-1111-1111-111111111111\n");
    expect((await receive(newest)).all).toContain(`the copy is of cluster ${uid}, and `);
    machine.write("state/uid", `${uid}\n`);
    const ca = machine.read("etc/kubernetes/pki/ca.crt");
    machine.write("etc/kubernetes/pki/ca.crt", `${ca}\n`);
    expect((await receive(newest)).all).toContain("the copy's CA is not the one of");
    machine.write("etc/kubernetes/pki/ca.crt", ca);
    expect(existsSync(machine.path("state/restore/set"))).toBe(false);
    expect(await state()).toMatchObject({ phase: "none", quorum: true });
  });

  const hostile = "20991231T000000Z-cp-1-r9.tar.gz.age";

  it("a copy that somebody else has made, or given a newer name, is refused before anything is touched", async () => {
    const newest = there().at(-1) as string;
    pack(forged(newest, "received"), hostile);
    expect((await receive(hostile)).all).toContain("the copy is not signed by its cluster's CA");
    expect((await receive(newest, "4102358400")).all).toMatch(/made at 20.*it was renamed/);
    expect(existsSync(machine.path("state/restore/set"))).toBe(false);
  });

  it.each<[what: string, plant: (set: string) => void]>([
    ["a link", (set) => symlinkSync("/etc/shadow", join(set, "snapshot.db.link"))],
    ["a name with a line break", (set) => writeFileSync(join(set, "pki/a\n..b"), "")],
    ["one that it does not list", (set) => writeFileSync(join(set, "pki/other.key"), "")],
  ])("a copy with other files than a copy has is refused: %s", async (what, plant) => {
    const newest = there().at(-1) as string;
    const set = open(newest, what.replaceAll(" ", "-"));
    plant(set);
    pack(set, hostile);
    expect((await receive(hostile)).all).toContain("it has other files than a copy has");
  });

  it("a control plane that is to join again ends, its kubelet too, and its data stays", async () => {
    machine.addProgram("systemctl", 'echo "systemctl $*" >>"$MACHINE/journal"');
    const { exitCode, all } = await restore("stop");
    expect({ exitCode, calls: machine.read("journal") }).toEqual({
      exitCode: 0,
      calls: "systemctl stop kubelet\n",
    });
    expect(all).toContain("member.before-restore-");
    expect(await state()).toMatchObject({ phase: "stopped", data: false, member: false });
  });
});

async function sshdAnswers(): Promise<void> {
  const connect = ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/2222"];
  await waitFor("sshd", 10, async () => (await plane.attempt(...connect)).exitCode === 0);
}

const digest = (text: string) => createHash("sha256").update(text).digest("hex");

/** A copy with an encryption key of somebody's who has not the cluster's CA. */
function forged(name: string, how: string): string {
  const set = open(name, how);
  const facts = JSON.parse(readFileSync(join(set, "set.json"), "utf8"));
  writeFileSync(join(set, "encryption/config.yaml"), encryption("key9"));
  facts.files["encryption/config.yaml"] = digest(encryption("key9"));
  writeFileSync(join(set, "set.json"), JSON.stringify(facts));
  return set;
}

function sign(set: string): void {
  const key = machine.path("etc/kubernetes/pki/ca.key");
  const out = ["-out", join(set, "set.json.sig"), join(set, "set.json")];
  execFileSync("openssl", ["dgst", "-sha256", "-sign", key, ...out]);
}

/** Puts a set at the target, as whoever may write there can. */
function pack(set: string, name: string): void {
  const own = ["-y", machine.path("operator.key")];
  const to = execFileSync("age-keygen", own, { encoding: "utf8" }).trim();
  const line = 'tar -C "$1" -cf - . | gzip | age -r "$2" -o "$3"';
  execFileSync("bash", ["-c", line, "bash", set, to, join(vault, "test", uid, name)]);
}

/** Decrypts a copy of the target into a folder. */
function open(name: string, how = "opened"): string {
  const folder = machine.path(`${how}-${name}`);
  mkdirSync(folder);
  execFileSync("bash", [
    "--norc",
    "-euo",
    "pipefail",
    "-c",
    'age --decrypt -i "$1" "$2" | tar -xzf - -C "$3"',
    "bash",
    machine.path("operator.key"),
    join(vault, "test", uid, name),
    folder,
  ]);
  return folder;
}
