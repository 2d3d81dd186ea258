import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, describe, expect, it } from "vitest";
import { waitFor } from "../../lab/shell.ts";
import type { Vault } from "./vault.ts";

/** The script on a control plane, by which `etcd restore` works. */
export function describeRestore(vault: Vault): void {
  const { plane, machine } = vault;

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
        ["--decrypt", "-i", machine.path("operator.key"), vault.path(name)],
        { maxBuffer: 2 ** 30 },
      );
      writeFileSync(machine.path("input"), set);
      return restore(["receive", ...words].join(" "), set);
    };

    it("after etcd's data is lost: what was there before the copy is there, what came after is gone", async () => {
      await plane.kubectl("create", "configmap", "before");
      expect((await vault.backUp()).exitCode).toBe(0);
      const newest = vault.newest();
      await plane.kubectl("create", "configmap", "after");
      const watching = 'exec kubectl --kubeconfig "$0" get configmaps --watch >"$1"';
      const [admin, seen] = ["etc/kubernetes/admin.conf", "seen"].map((name) => machine.path(name));
      const watch = plane.attempt("bash", "-c", watching, admin as string, seen as string);
      await waitFor("the watch to begin", 60, () => machine.read("seen").includes("after"));
      await plane.stop("etcd");
      rmSync(machine.path("etcd/member"), { recursive: true });
      const start = performance.now();
      // As `etcd restore` reads the time from the name.
      const iso = newest.replace(/^(....)(..)(..)T(..)(..)(..)Z.*$/, "$1-$2-$3T$4:$5:$6Z");
      const received = await receive(newest, `${Date.parse(iso) / 1000}`);
      expect(received).toMatchObject({ exitCode: 0 });
      expect(await restore("apply copy")).toMatchObject({
        exitCode: 0,
        all: expect.stringContaining(`cluster ${vault.uid}`),
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
      expect(await state()).toMatchObject({
        phase: "serving",
        quorum: true,
        uid: vault.uid,
        members: 1,
      });
      // Whoever has read an earlier state asks for it again, as `etcd restore` does after a kill of its client.
      expect(await restore("apply survivor")).toMatchObject({
        exitCode: 0,
        all: expect.stringContaining(`the API server answers: cluster ${vault.uid}`),
      });
      await restore("finish");
    });

    it("killed at any moment, it is taken up: from a copy", async () => {
      await plane.kubectl("create", "configmap", "before-kills");
      expect((await vault.backUp()).exitCode).toBe(0);
      await receive(vault.newest());
      const phases = new Set<string>();
      for (const seconds of [0.05, 0.3, 0.6, 1, 1.5, 2, 3, 4, 8, 16, 32]) {
        // The longer ones are for a busy machine.
        if (seconds > 4 && phases.size > 1) break;
        await restore(`apply copy`, undefined, `timeout --signal KILL ${seconds}`);
        phases.add((await state()).phase);
      }
      console.log(`killed in the phases ${[...phases].join(", ")}`);
      expect(phases.size).toBeGreaterThan(1);
      if (!phases.has("serving"))
        expect(await restore("apply copy")).toMatchObject({ exitCode: 0 });
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
      expect(found).toMatchObject({
        made: true,
        data: true,
        quorum: false,
        uid: vault.uid,
        phase: "none",
      });
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
      const newest = vault.newest();
      machine.write("state/uid", "11111111-1111-1111-1111-111111111111\n");
      expect((await receive(newest)).all).toContain(`the copy is of cluster ${vault.uid}, and `);
      machine.write("state/uid", `${vault.uid}\n`);
      const ca = machine.read("etc/kubernetes/pki/ca.crt");
      machine.write("etc/kubernetes/pki/ca.crt", `${ca}\n`);
      expect((await receive(newest)).all).toContain("the copy's CA is not the one of");
      machine.write("etc/kubernetes/pki/ca.crt", ca);
      expect(existsSync(machine.path("state/restore/set"))).toBe(false);
      expect(await state()).toMatchObject({ phase: "none", quorum: true });
    });

    const hostile = "20991231T000000Z-cp-1-r9.tar.gz.age";
    // It would be the newest of the next test.
    afterEach(() => rmSync(vault.path(hostile), { force: true }));

    it("a copy that somebody else has made, or given a newer name, is refused before anything is touched", async () => {
      const newest = vault.newest();
      vault.pack(vault.forged(newest, "received"), hostile);
      expect((await receive(hostile)).all).toContain("the copy is not signed by its cluster's CA");
      expect((await receive(newest, "4102358400")).all).toMatch(/made at 20.*it was renamed/);
      expect(existsSync(machine.path("state/restore/set"))).toBe(false);
    });

    it("a copy that would fill the disk is refused as it comes, and nothing of it stays", async () => {
      const newest = vault.newest();
      const set = vault.open(newest, "large");
      // Half of what is free suffices for the copy and its archive, and not for what is beside it.
      const bound =
        Number((await execa("du", ["--bytes", "--summarize", set])).stdout.split("\t")[0]) +
        2 ** 20;
      writeFileSync(join(set, "large"), Buffer.alloc(2 ** 26));
      vault.pack(set, hostile);
      machine.addProgram("df", `echo Avail; echo ${2 * bound}`);
      const [large, small] = [await receive(hostile), await receive(newest)];
      machine.forget("bin/df");
      expect(large.all).toContain(`no tar.gz of at most 1000 files and ${bound} bytes`);
      expect(small.exitCode).toBe(0);
      expect(existsSync(machine.path("state/restore/set.new"))).toBe(false);
      rmSync(machine.path("state/restore/set"), { recursive: true });
    });

    it.each<[what: string, plant: (set: string) => void]>([
      ["a link", (set) => symlinkSync("/etc/shadow", join(set, "snapshot.db.link"))],
      ["a name with a line break", (set) => writeFileSync(join(set, "pki/a\n..b"), "")],
      ["one that it does not list", (set) => writeFileSync(join(set, "pki/other.key"), "")],
    ])("a copy with other files than a copy has is refused: %s", async (what, plant) => {
      const newest = vault.newest();
      const set = vault.open(newest, what.replaceAll(" ", "-"));
      plant(set);
      vault.pack(set, hostile);
      expect((await receive(hostile)).all).toContain("the copy has other files than it lists");
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
}
