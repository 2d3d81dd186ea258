import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Config } from "../../config/config.ts";
import { quote } from "../../steps/ssh/arguments.ts";
import { output, runProcess } from "../../steps/ssh/process.ts";
import { type Report, reportNamespace } from "../../verify/proofs/backup.ts";
import { UserError } from "../command.ts";
import { programsOf } from "./programs.ts";
import { Copies, type Copy } from "./targets.ts";

export interface RehearsalOptions {
  /** File of the age identity (or SSH private key) that decrypts. */
  identity: string;
  /** File of the SSH key that signs the report; its public half where an ssh-agent holds it. */
  sign: string;
  /** The target. @default the first of the stack's file */
  from?: string;
  /** A copy's file name. @default the newest */
  copy?: string;
  /** Folder with etcd, etcdctl, etcdutl and kube-apiserver. @default from the copy's own images */
  binaries?: string;
}

/**
 * Restores the newest copy on this machine, compares, and puts a signed report beside the copies.
 * @returns the report, good or bad; the decrypted set is removed whatever happens.
 */
export async function rehearse(config: Config, options: RehearsalOptions): Promise<Report> {
  const copies = new Copies(config, options.from);
  const work = mkdtempSync(join(tmpdir(), "oslo-cluster-rehearsal-"));
  chmodSync(work, 0o700);
  const remove = () => rmSync(work, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    const copy = await copies.find(options.copy);
    const start = performance.now();
    const rehearsedAt = Math.floor(Date.now() / 1000);
    const result = await restored(config, copies, copy, work, options);
    const problems = [...result.problems, ...age(config, copy, rehearsedAt)];
    const report: Report = {
      ...{ cluster: config.cluster.name, uid: copy.uid, copy: copy.path, takenAt: copy.takenAt },
      ...{ rehearsedAt, seconds: Math.round((performance.now() - start) / 100) / 10 },
      ...{ objects: result.objects, problems },
    };
    await publish(report, copies, work, options.sign);
    return report;
  } finally {
    remove();
    copies.close();
  }
}

type Result = Pick<Report, "objects" | "problems">;

async function restored(
  config: Config,
  copies: Copies,
  copy: Copy,
  work: string,
  { identity, binaries }: RehearsalOptions,
): Promise<Result> {
  const set = join(work, "set");
  mkdirSync(set);
  const fetch = copies.command("cat", copies.at(copy.path)).map(quote).join(" ");
  const decrypt = `age --decrypt --identity ${quote(identity)}`;
  const unpack = fileURLToPath(new URL("../../steps/unpack-set.sh", import.meta.url));
  const line = `set -o pipefail; ${fetch} | ${decrypt} | bash ${quote(unpack)} ${quote(set)}`;
  const { status, stdout, stderr } = await runProcess(["bash", "-c", line]);
  if (status !== 0)
    return {
      objects: 0,
      problems: [`the copy cannot be decrypted and unpacked: ${lastLine(stderr)}`],
    };
  // Nothing of it is read, and none of the programs that it names is run, before its signature is verified.
  if (stdout !== "") return { objects: 0, problems: stdout.trim().split("\n") };
  const facts = JSON.parse(readFileSync(join(set, "set.json"), "utf8")) as {
    uid: string;
    takenAt: number;
    images: { etcd: string; kubeApiserver: string };
  };
  const folder = binaries ?? (await programsOf(config, facts.images, join(work, "programs")));
  const script = fileURLToPath(new URL("rehearse.sh", import.meta.url));
  const own = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  const isolated = ["unshare", ...own, "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  await output([...isolated, "bash", script, work], {
    env: { PATH: `${folder}:${process.env.PATH}` },
  });
  const result = JSON.parse(readFileSync(join(work, "result.json"), "utf8")) as Result;
  const strange = [
    facts.uid !== copy.uid && `it is among the copies of ${copy.uid} and is of ${facts.uid}`,
    facts.takenAt !== copy.takenAt &&
      `it was renamed: by its name it is of ${copy.takenAt}, and it was made at ${facts.takenAt} (seconds since 1970)`,
  ].filter((problem) => problem !== false);
  return { ...result, problems: [...result.problems, ...strange] };
}

/** The newest copy may be whole and yet too old to be of use. */
function age({ backup }: Config, { takenAt }: Copy, now: number): string[] {
  const bound = 2 * backup.everyMinutes + 5;
  const minutes = Math.round((now - takenAt) / 60);
  return minutes <= bound ? [] : [`the newest copy is ${minutes} minutes old, allowed ${bound}`];
}

async function publish(report: Report, copies: Copies, work: string, key: string): Promise<void> {
  const file = join(work, "report.json");
  writeFileSync(file, `${JSON.stringify(report)}\n`);
  await output(["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", reportNamespace, file]).catch(
    (error: Error) => {
      throw new UserError(`${key} does not sign: ${error.message}`);
    },
  );
  for (const name of ["report.json", "report.json.sig"]) {
    await copies.put(join(work, name), `${report.uid}/rehearsal/${name}`);
  }
}

function lastLine(text: string): string {
  return (
    text
      .trim()
      .split("\n")
      .filter((line) => !line.includes("report unexpected"))
      .at(-1) ?? "no reason given"
  );
}
