import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Report } from "../../../verify/proofs/backup.ts";
import { encryption } from "../loopback.ts";
import { digest, type Vault } from "./vault.ts";

/** Copies are rehearsed as an operator does. */
export function describeRehearsal(vault: Vault): void {
  const { plane, machine } = vault;

  describe("a rehearsal", () => {
    const rehearse = async (...more: string[]) => {
      const words = [
        "--identity",
        machine.path("operator.key"),
        "--sign",
        machine.path("sshd/host"),
      ];
      const { exitCode, stdout, all } = await vault.operator(
        "rehearse",
        ...words,
        "--binaries",
        plane.programs,
        ...more,
      );
      const report = stdout.startsWith("{") ? (JSON.parse(stdout) as Report) : undefined;
      return { exitCode, report, all };
    };
    const put = (name: string, content: Buffer) => writeFileSync(vault.path(name), content);
    const later = "20991231T000000Z-cp-1-r9.tar.gz.age";
    const removeLater = () => rmSync(vault.path(later), { force: true });

    it("decrypts, restores and compares the newest copy, and its report reaches the node", async () => {
      await vault.backUp();
      const { exitCode, report, all } = await rehearse();
      expect(report, all).toMatchObject({ uid: vault.uid, problems: [] });
      expect(exitCode).toBe(0);
      expect(report?.objects).toBeGreaterThan(50);
      console.log(`rehearsed in ${report?.seconds} s: ${report?.objects} objects`);
      await vault.backUp();
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
      ["a truncated copy", () => readFileSync(vault.path(vault.newest())).subarray(0, 20_000)],
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
      put(old, readFileSync(vault.path(vault.newest())));
      const { exitCode, report } = await rehearse("--copy", old);
      rmSync(vault.path(old));
      expect(exitCode).toBe(3);
      expect(report?.problems).toEqual([
        expect.stringMatching(/^it was renamed: /),
        expect.stringMatching(/^the newest copy is \d+ minutes old, allowed 125$/),
      ]);
    });

    it("is red with a set whose Secrets need another key, and with one that lost objects", async () => {
      const set = vault.open(vault.newest());
      writeFileSync(join(set, "encryption/config.yaml"), encryption("key9"));
      const facts = JSON.parse(readFileSync(join(set, "set.json"), "utf8"));
      facts.counts.configmaps += 1;
      facts.files["encryption/config.yaml"] = digest(encryption("key9"));
      facts.takenAt = Date.parse("2099-12-31T00:00:00Z") / 1000;
      writeFileSync(join(set, "set.json"), JSON.stringify(facts));
      vault.sign(set);
      vault.pack(set, later);
      try {
        const { exitCode, report } = await rehearse();
        expect(exitCode).toBe(3);
        expect(report?.problems).toEqual([
          expect.stringMatching(/^configmaps: \d+ objects were packed, \d+ are restored$/),
          expect.stringMatching(
            /^Secrets do not decrypt with the copy's own keys: .*no matching key/,
          ),
        ]);
      } finally {
        removeLater();
      }
    });

    it("is red with a copy that somebody else has made for the same recipients", async () => {
      vault.pack(vault.forged(vault.newest(), "rehearsed"), later);
      try {
        const { exitCode, report } = await rehearse();
        expect(exitCode).toBe(3);
        expect(report?.problems).toEqual([
          expect.stringMatching(
            /^the copy is not signed by its cluster's CA: somebody else has made it/,
          ),
        ]);
      } finally {
        removeLater();
      }
    });

    it("says what is missing where there is no copy, or no such target", async () => {
      expect((await rehearse("--from", "attic")).all).toContain(
        "no target attic; backup.targets has: vault",
      );
      expect((await rehearse("--copy", "nothing")).all).toContain(
        "target vault has no copy nothing",
      );
    });
  });
}
