import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hostKeyFile, hostPublicKey, operatorKey } from "./hosts/keys.ts";
import { runDirectory } from "./paths.ts";
import { startProcess } from "./processes.ts";
import { segment } from "./segment.ts";
import { inNamespace, run, waitFor } from "./shell.ts";

/** An SFTP server on the segment for copies of clusters' state: a real sshd, whose account has SFTP alone. */
export interface Vault {
  /** As an entry of backup.targets has it. */
  target: {
    name: string;
    region: string;
    sftp: { host: string; port: number; user: string; hostKey: string; directory: string };
  };
  directory: string;
  /** Lets the nodes in, by their public keys; the operator is let in always. */
  letIn(keys: readonly string[]): Promise<void>;
}

const port = 2222;

/** Starts the server, unless it runs. */
export async function ensureVault(): Promise<Vault> {
  const folder = join(runDirectory, "vault");
  const directory = join(folder, "copies");
  const authorized = join(folder, "authorized_keys");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await mkdir("/run/sshd", { recursive: true });
  const letIn = async (keys: readonly string[]) =>
    writeFile(authorized, [await operatorKey(), ...keys, ""].join("\n"));
  if (!existsSync(authorized)) await letIn([]);
  const lines = [
    ...[
      `Port ${port}`,
      `ListenAddress ${segment.address}`,
      `HostKey ${await hostKeyFile("vault")}`,
    ],
    ...[`AuthorizedKeysFile ${authorized}`, "StrictModes no", "PidFile none", "UsePAM no"],
    ...["PasswordAuthentication no", "Subsystem sftp internal-sftp", "ForceCommand internal-sftp"],
  ];
  const file = join(folder, "sshd_config");
  await writeFile(file, `${lines.join("\n")}\n`);
  await startProcess(
    "vault",
    inNamespace(segment.netns, ["/usr/sbin/sshd", "-D", "-e", "-f", file]),
  );
  const [command = "", ...scan] = inNamespace(segment.netns, [
    ...["ssh-keyscan", "-p", String(port), "-T", "2", segment.address],
  ]);
  await waitFor("the SFTP server", 60, async () =>
    (await run(command, scan, { reject: false, stderr: "ignore" })).includes("ssh-ed25519"),
  );
  return {
    target: {
      ...{ name: "vault", region: "NO-OSL-2" },
      sftp: {
        ...{ host: segment.address, port, user: "root", directory },
        hostKey: await hostPublicKey("vault"),
      },
    },
    directory,
    letIn,
  };
}
