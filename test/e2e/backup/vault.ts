import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { knownHosts } from "../../../plan/backup.ts";
import { root } from "../../root.ts";
import { writeBackupStack } from "../backup-stack.ts";
import { encryption, LoopbackControlPlane } from "../loopback.ts";

/** A control plane whose copies go to a real sshd, by SFTP: the target `vault`. */
export class Vault {
  readonly plane = new LoopbackControlPlane();
  readonly machine = this.plane.machine;
  /** Where the target keeps what it gets. */
  readonly folder = this.machine.path("vault");
  /** The cluster's. */
  uid = "";

  async start(): Promise<void> {
    execFileSync("age-keygen", ["-o", this.machine.path("operator.key")], { stdio: "ignore" });
    await this.plane.start();
    const uid = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"];
    this.uid = (await this.plane.kubectl(...uid)).stdout;
    const canary = ["secret", "generic", "canary", "--from-literal=value=squirrel-in-the-snow"];
    await this.plane.kubectl("create", ...canary);
    this.makeSshKeys();
    this.startSshd();
    this.configure({});
    await this.sshdAnswers();
  }

  remove() {
    return this.plane.remove();
  }

  /** The node's documents, as the plan makes them of a stack with this target. */
  configure(changes: Record<string, unknown>): void {
    const { machine } = this;
    const sftp = {
      ...{ host: "127.0.0.1", port: 2222, user: "root", directory: this.folder },
      hostKey: machine.read("sshd/host.pub").trim(),
    };
    const target = { name: "vault", region: "NO-OSL-2", sftp };
    const { backup } = writeBackupStack(machine, [target], changes, () => ({
      key_file: machine.path("state/backup/id_ed25519"),
      known_hosts_file: machine.path("etc/oslo-cluster/known-hosts"),
    }));
    machine.write("etc/oslo-cluster/known-hosts", `${knownHosts(backup.targets)}\n`);
  }

  private makeSshKeys(): void {
    const { machine } = this;
    mkdirSync(machine.path("sshd"), { recursive: true });
    mkdirSync(machine.path("state/backup"), { recursive: true });
    for (const key of ["sshd/host", "state/backup/id_ed25519"]) {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", machine.path(key)]);
    }
    machine.write("sshd/authorized_keys", machine.read("state/backup/id_ed25519.pub"));
    mkdirSync("/run/sshd", { recursive: true });
  }

  /** A real sshd in the namespace, whose one account may do SFTP alone. */
  startSshd(command = "internal-sftp"): void {
    this.plane.startSshd(
      { hostKey: "sshd/host", authorizedKeys: "sshd/authorized_keys" },
      command,
      `Subsystem sftp ${command}`,
    );
  }

  async sshdAnswers(): Promise<void> {
    await this.plane.listening(2222, 60);
  }

  backUp() {
    return this.plane.attempt("bash", this.machine.path("lib/backup.sh"));
  }

  /** What the node says of its copies. */
  status() {
    return JSON.parse(this.machine.read("state/backup/status.json"));
  }

  /** A file at the target, of this cluster. */
  path(name: string): string {
    return join(this.folder, "test", this.uid, name);
  }

  /** The copies at the target. */
  there(): string[] {
    const folder = this.path(".");
    return existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => name.endsWith(".age"))
          .sort()
      : [];
  }

  newest(): string {
    return this.there().at(-1) as string;
  }

  /** What an operator runs, in the namespace, with the agent that has the target's key. */
  operator(verb: string, ...words: string[]) {
    const line =
      'eval "$(ssh-agent)" >/dev/null; trap "kill $SSH_AGENT_PID" EXIT; ssh-add -q "$0"; "$@"';
    const command = [
      process.execPath,
      join(root, "commands/main.ts"),
      ...["etcd", verb, this.machine.path("Pulumi.test.yaml")],
    ];
    const key = this.machine.path("state/backup/id_ed25519");
    return this.plane.attempt("bash", "-c", line, key, ...command, ...words);
  }

  /** Decrypts a copy of the target into a folder. */
  open(name: string, how = "opened"): string {
    const folder = this.machine.path(`${how}-${name}`);
    mkdirSync(folder);
    const line = 'age --decrypt -i "$1" "$2" | tar -xzf - -C "$3"';
    const key = this.machine.path("operator.key");
    const bash = ["--norc", "-euo", "pipefail", "-c", line, "bash"];
    execFileSync("bash", [...bash, key, this.path(name), folder]);
    return folder;
  }

  /** Puts a set at the target, as whoever may write there can. */
  pack(set: string, name: string): void {
    const own = ["-y", this.machine.path("operator.key")];
    const to = execFileSync("age-keygen", own, { encoding: "utf8" }).trim();
    const line = 'tar -C "$1" -cf - . | gzip | age -r "$2" -o "$3"';
    execFileSync("bash", ["-c", line, "bash", set, to, this.path(name)]);
  }

  /** With the cluster's CA. */
  sign(set: string): void {
    const key = this.machine.path("etc/kubernetes/pki/ca.key");
    const out = ["-out", join(set, "set.json.sig"), join(set, "set.json")];
    execFileSync("openssl", ["dgst", "-sha256", "-sign", key, ...out]);
  }

  /** A copy with an encryption key of somebody's who has not the cluster's CA. */
  forged(name: string, how: string): string {
    const set = this.open(name, how);
    const facts = JSON.parse(readFileSync(join(set, "set.json"), "utf8"));
    writeFileSync(join(set, "encryption/config.yaml"), encryption("key9"));
    facts.files["encryption/config.yaml"] = digest(encryption("key9"));
    writeFileSync(join(set, "set.json"), JSON.stringify(facts));
    return set;
  }
}

export const digest = (text: string) => createHash("sha256").update(text).digest("hex");
