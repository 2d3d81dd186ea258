import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hostKey } from "../../host-key.ts";
import { stackFiles } from "../../stacks.ts";
import { runCommand, runProcess } from "../run.ts";

const folder = mkdtempSync(join(tmpdir(), "etcd-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A stack of three control planes where no SSH answers, with a target for its copies. */
const silent = join(folder, "Pulumi.silent.yaml");
writeFileSync(
  silent,
  readFileSync(stackFiles.articles, "utf8")
    .replaceAll("role: worker", "role: control-plane")
    .replaceAll(/^( +)host: \S+-\d\..*$/gm, "$1host: 127.0.0.1\n$1port: 1")
    .concat(`  oslo-cluster:ssh: { dialAttempts: 1 }
  oslo-cluster:backup:
    recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]
    targets:
      - { name: nas, region: NO-OSL-2, sftp: { host: 127.0.0.1, user: backup, directory: copies, hostKey: HOSTKEY } }
`)
    .replace("HOSTKEY", `"${hostKey("nas")}"`),
);

describe.concurrent("etcd", () => {
  // Its warning of the ssh-agent comes once in a process.
  it("backup: asks every control plane, and names each that does not answer", async () => {
    const { exitCode, stdout, stderr } = await runProcess("etcd", "backup", silent);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    const [agent, ...failed] = stderr.split("\n");
    expect(agent).toMatch(/^warning: SSH_AUTH_SOCK=\/none: no ssh-agent answers there; start one/);
    expect(failed).toEqual(
      ["cp-1", "worker-1", "worker-2"].map((name) =>
        expect.stringMatching(new RegExp(`^${name}: .*Connection refused`)),
      ),
    );
  });

  it.each<[string[], RegExp]>([
    [["credential", silent, "none"], /^no target none; backup\.targets has: nas$/],
    [["credential", silent, "nas"], /^nas: not an S3 target: /],
    [
      ["restore", silent, "--file", "none.age", "--identity", "key.txt"],
      /^--file: none\.age: no such file\n--identity: key\.txt: no such file$/,
    ],
    [
      ["restore", silent, "--file", "none.age"],
      /^--identity: \(not set\): a copy is encrypted; .*\n--file: none\.age: no such file$/,
    ],
    [
      ["restore", silent, "--from", "none", "--identity", "key.txt"],
      /^--identity: key\.txt: no such file\nno target none; /,
    ],
    [
      ["restore", silent, "--copy", "some.age"],
      /^--copy: some\.age: a copy of which target\? Name it with --from$/,
    ],
    [
      ["rehearse", silent, "--identity", "key.txt", "--sign", "id"],
      /^--identity: key\.txt: no such file\n--sign: id: no such file$/,
    ],
  ])("%j: refused before anything is asked", async (args, message) => {
    const { exitCode, stdout, stderr } = await runCommand("etcd", ...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(message);
  });

  it("restore: one copy alone", async () => {
    const copies = ["--from", "nas", "--file", "none.age"];
    const { exitCode, stderr } = await runCommand("etcd", "restore", silent, ...copies);
    expect({ exitCode, stderr }).toMatchObject({
      ...{ exitCode: 2, stderr: expect.stringContaining("cannot be used with option '--from") },
    });
  });
});
