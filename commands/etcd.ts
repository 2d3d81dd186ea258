import { Command, Option } from "commander";
import { plan } from "../plan/plan.ts";
import { reasonOf } from "../verify/cluster.ts";
import { UserError } from "./command.ts";
import { agreed, type Consent } from "./confirm.ts";
import type { Source } from "./etcd/decide.ts";
import { type Machine, machinesOf } from "./etcd/machines.ts";
import { type RehearsalOptions, rehearse } from "./etcd/rehearse.ts";
import { carryOut, planRestore, type RestoreOptions } from "./etcd/restore.ts";
import { Copies, targetOf } from "./etcd/targets.ts";
import { everyOf } from "./every-of.ts";
import { requireFiles } from "./input-files.ts";
import { configOf } from "./stack-config.ts";
import { stackHelp } from "./stack-file.ts";

/** The cluster's state away from its nodes, and back. */
export const command = new Command("etcd")
  .summary("the cluster's state: copies of it, restores, rehearsals")
  .description(
    "Copies of the cluster's state, restores and rehearsals. SFTP targets are reached with the keys of the ssh-agent, S3 targets with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
  );

command
  .command("copies")
  .description("Lists the copies at a target, the newest last.")
  .argument("<stack>", stackHelp)
  .option("--from <target>", "the target; the first of the stack's file by default")
  .action(async (stack: string, { from }: { from?: string }) => {
    for (const { path, bytes, takenAt } of await new Copies(configOf(stack), from).list()) {
      console.log(`${new Date(takenAt * 1000).toISOString()}  ${bytes}  ${path}`);
    }
  });

command
  .command("backup")
  .description("Has every control plane make a copy at once.")
  .argument("<stack>", stackHelp)
  .action(async (stack: string) => {
    await onEach(await machinesOf(plan(configOf(stack)), "control-plane"), async ({ run }) => {
      await run("backup");
      return "copied";
    });
  });

command
  .command("credential")
  .description(
    "Gives each control plane an S3 target's key, which comes from standard input: its id and its secret, a line each.",
  )
  .argument("<stack>", stackHelp)
  .argument("<target>", "the target's name")
  .action(async (stack: string, target: string) => {
    const config = configOf(stack);
    if (targetOf(config, target).s3 === undefined)
      throw new UserError(`${target}: not an S3 target: nodes reach it with a key of their own`);
    const secret = await standardInput();
    await onEach(await machinesOf(plan(config), "control-plane"), async ({ send }) => {
      await send(secret, "backup", "credential", target);
      return `has the credential of ${target}`;
    });
  });

command
  .command("restore")
  .description(
    "Brings etcd back where quorum is lost, from a survivor's data or from a copy. Every control plane is asked first; what is there is saved before anything is touched, and nothing is deleted. Refuses where etcd still has a quorum. Safe to run again after an interruption: what was done is found done.",
  )
  .argument("<stack>", stackHelp)
  .option("--from <target>", "a copy of this target, in the place of a survivor's data")
  .addOption(new Option("--file <file>", "a copy as a file of this machine").conflicts("from"))
  .option("--copy <name>", "which copy of the target; the newest by default")
  .option("--identity <file>", "the age identity that decrypts; it stays on this machine")
  .option("--gone <node...>", "control planes that are gone for good, and are not asked")
  .option("--replace <uid>", "replace the data of this living cluster all the same")
  .option("--dry-run", "say what would be done, and touch nothing")
  .option("--yes", "do not ask before anything is touched")
  .action(
    async (
      stack: string,
      { dryRun, yes, gone = [], replace, ...copy }: Partial<RestoreOptions & Source> & Consent,
    ) => {
      const config = configOf(stack);
      const { from, file, identity } = copy;
      const [source] = everyOf(
        () => sourceOf(copy),
        () => requireFiles({ "--file": file, "--identity": identity }),
        () => from === undefined || targetOf(config, from),
      );
      const restoration = await planRestore(config, plan(config), { source, replace, gone });
      const { found, operations, left } = restoration;
      const list = operations.map(({ on, does }, i) => `${i + 1}. ${on}: ${does}`);
      const text = [...found, "", ...list, ...(left.length > 0 ? ["", ...left] : [])].join("\n");
      if (!(await agreed(config.cluster.name, text, { dryRun, yes }))) return;
      const { answered, seconds } = await carryOut(restoration, (line) => console.error(line));
      if (answered > 0) console.log(`the API answered after ${answered} s`);
      console.log(`restored in ${seconds} s`);
      for (const line of left) console.log(line);
    },
  );

command
  .command("rehearse")
  .description(
    "Restores the newest copy into a throw-away etcd and API server on this machine, compares, and puts a signed report beside the copies, which verify reads.",
  )
  .argument("<stack>", stackHelp)
  .requiredOption("--identity <file>", "the age identity that decrypts")
  .requiredOption(
    "--sign <key>",
    "the SSH key that signs the report, one of backup.rehearsal.signers",
  )
  .option("--from <target>", "the target; the first of the stack's file by default")
  .option("--copy <name>", "which copy; the newest by default")
  .option(
    "--binaries <folder>",
    "etcd, etcdctl, etcdutl and kube-apiserver; from the images of the copy by default",
  )
  .action(async (stack: string, options: RehearsalOptions) => {
    const config = configOf(stack);
    const { identity, sign, binaries } = options;
    requireFiles({ "--identity": identity, "--sign": sign, "--binaries": binaries });
    const report = await rehearse(config, options);
    console.log(JSON.stringify(report, null, 2));
    const { targets } = config.backup;
    const target = targets.find(({ name }) => name === (options.from ?? targets[0]?.name));
    if (target?.mayRead === false)
      console.error(
        `the nodes may not read at ${target.name}: bring the report to them with \`oslo-cluster etcd report ${stack} --from ${target.name}\`, so that verify knows of it`,
      );
    if (report.problems.length > 0) process.exitCode = 3;
  });

command
  .command("report")
  .description(
    "Brings the newest rehearsal's report from a target to the control planes, for verify: needed where the nodes may not read there (backup.targets[].mayRead: false).",
  )
  .argument("<stack>", stackHelp)
  .option("--from <target>", "the target; the first of the stack's file by default")
  .action(async (stack: string, { from }: { from?: string }) => {
    const config = configOf(stack);
    const copies = new Copies(config, from);
    const { uid } = await copies.find();
    const report = await copies.report(uid);
    await onEach(await machinesOf(plan(config), "control-plane"), async ({ send }) => {
      await send(report, "backup", "report");
      return "has the report";
    });
  });

/** @returns undefined where no copy is named @throws UserError for one without its target, or the key that decrypts it */
function sourceOf({ from, file, copy, identity }: Partial<Source>): Source | undefined {
  if (from === undefined && copy !== undefined)
    throw new UserError(`--copy: ${copy}: a copy of which target? Name it with --from`);
  if (from === undefined && file === undefined) return undefined;
  if (identity === undefined)
    throw new UserError("--identity: (not set): a copy is encrypted; name the key's file");
  return { from, file, copy, identity };
}

/** One after the other, also past one that fails. @throws UserError with each that failed, and why */
async function onEach(
  machines: readonly Machine[],
  act: (machine: Machine) => Promise<string>,
): Promise<void> {
  const failed: string[] = [];
  for (const machine of machines) {
    try {
      console.log(`${machine.name}: ${await act(machine)}`);
    } catch (error) {
      failed.push(`${machine.name}: ${reasonOf(error)}`);
    }
  }
  if (failed.length > 0) throw new UserError(failed.join("\n"));
}

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
