import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../config/config.ts";
import { copiesPath, knownHosts, rcloneConfiguration } from "../../plan/backup.ts";
import { output } from "../../steps/ssh/process.ts";
import { UserError } from "../command.ts";

type Target = Config["backup"]["targets"][number];

/** A copy at a target. */
export interface Copy {
  /** `<uid>/<file>`, below the cluster's own directory. */
  path: string;
  uid: string;
  /** When it was made, in seconds since 1970. */
  takenAt: number;
  bytes: number;
}

/**
 * A target as this machine reaches it: SFTP with the keys of the ssh-agent, S3 with the AWS_… variables
 * of the environment. Nothing of either is ever an argument.
 */
export class Copies {
  private readonly folder = mkdtempSync(join(tmpdir(), "oslo-cluster-"));
  private readonly root: string;
  readonly name: string;

  constructor(config: Config, name?: string) {
    const target = targetOf(config, name);
    this.name = target.name;
    this.root = `${target.name}:${copiesPath(target, config.cluster.name)}`;
    const hosts = join(this.folder, "known-hosts");
    writeFileSync(hosts, `${knownHosts([target])}\n`);
    const options = rcloneConfiguration(
      [target],
      ({ sftp }): Record<string, string> => (sftp ? { known_hosts_file: hosts } : {}),
    );
    writeFileSync(join(this.folder, "rclone.conf"), options, { mode: 0o600 });
    process.on("exit", () => this.close());
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** rclone's command line. */
  command(...words: string[]): string[] {
    const config = join(this.folder, "rclone.conf");
    const limits = ["--contimeout", "10s", "--retries", "2", "--low-level-retries", "2"];
    return ["rclone", "--config", config, ...limits, "--s3-no-check-bucket", ...words];
  }

  at(path: string): string {
    return `${this.root}/${path}`;
  }

  /** Every copy of this cluster's name, the newest last. @throws UserError where the target cannot be asked */
  async list(): Promise<Copy[]> {
    const words = ["lsf", "--recursive", "--files-only", "--format", "ps", "--separator", "\t"];
    const text = await output(this.command(...words, this.root)).catch((error: Error) => {
      throw new UserError(`target ${this.name} cannot be listed: ${error.message}`);
    });
    return text
      .split("\n")
      .flatMap(parsed)
      .sort((a, b) => a.takenAt - b.takenAt);
  }

  /**
   * The newest copy, or the one that is named by its file.
   * @param uid Of the cluster; empty: the target has copies of one cluster alone, or one is named.
   * @throws UserError where there is none, or it is not clear which
   */
  async find(file?: string, uid?: string): Promise<Copy> {
    const copies = (await this.list()).filter((copy) => !uid || copy.uid === uid);
    const clusters = new Set(copies.map((copy) => copy.uid));
    if (uid === "" && file === undefined && clusters.size > 1) {
      const newest = [...clusters].map((one) => copies.findLast((copy) => copy.uid === one)?.path);
      throw new UserError(
        `target ${this.name} has copies of ${clusters.size} clusters of this name: choose one with --copy:\n${newest.map((path) => `  ${path}`).join("\n")}`,
      );
    }
    const found =
      file === undefined ? copies.at(-1) : copies.find(({ path }) => path.endsWith(file));
    if (found !== undefined) return found;
    const which = [file, uid && `of cluster ${uid}`].filter(Boolean).map((word) => ` ${word}`);
    throw new UserError(`target ${this.name} has no copy${which.join("")}`);
  }

  async put(file: string, path: string): Promise<void> {
    await output(this.command("copyto", file, this.at(path)));
  }

  /** The newest rehearsal's report of a cluster, and its signature. @throws UserError where there is none */
  async report(uid: string): Promise<string> {
    const parts = ["report.json", "report.json.sig"].map((name) =>
      output(this.command("cat", this.at(`${uid}/rehearsal/${name}`))),
    );
    const [report = "", signature = ""] = await Promise.all(parts).catch((error: Error) => {
      throw new UserError(`target ${this.name} has no rehearsal's report: ${error.message}`);
    });
    return `${report.trim()}\n${signature}`;
  }
}

/** A target of the stack's file by its name, or the first. @throws UserError where there is none */
export function targetOf({ backup: { targets } }: Config, name?: string): Target {
  const found = name === undefined ? targets[0] : targets.find((target) => target.name === name);
  if (found !== undefined) return found;
  const names = targets.map((target) => target.name).join(", ") || "none";
  throw new UserError(
    name === undefined
      ? "backup.targets is empty: there is no copy; name a target in the stack's file"
      : `no target ${name}; backup.targets has: ${names}`,
  );
}

function parsed(line: string): Copy[] {
  const [path = "", bytes = ""] = line.split("\t");
  const [, uid = "", stamp = ""] =
    path.match(/^([0-9a-f-]{36})\/(\d{8}T\d{6}Z)-[A-Za-z0-9.-]+\.tar\.gz\.age$/) ?? [];
  if (uid === "") return [];
  const iso = stamp.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z");
  return [{ path, uid, takenAt: Date.parse(iso) / 1000, bytes: Number(bytes) }];
}
