import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../shell.ts";
import { download } from "./files.ts";
import type { AptSource } from "./sources.ts";

/**
 * Downloads packages into a directory with apt itself, which holds the index to its signature and each package
 * to the index. The key is taken where its fingerprint is the pinned one.
 *
 * @throws where the key is another, or where a signature or a checksum does not hold
 */
export async function downloadPackages(source: AptSource, directory: string): Promise<void> {
  const work = join(directory, "apt");
  await mkdir(join(work, "lists/partial"), { recursive: true });
  await mkdir(join(work, "archives/partial"), { recursive: true });
  const keyring = await pinnedKey(source, work);
  const list = join(work, "sources.list");
  await writeFile(list, `deb [arch=amd64 signed-by=${keyring}] ${source.url} ${source.suite}\n`);
  await writeFile(join(work, "status"), "");
  const options = [
    ...[`Dir::Etc::sourcelist=${list}`, "Dir::Etc::sourceparts=-", "Dir::Etc::preferencesparts=-"],
    ...[`Dir::State::lists=${work}/lists`, `Dir::State::status=${work}/status`],
    ...[`Dir::Cache=${work}`, `Dir::Cache::archives=${work}/archives`],
    ...["APT::Architecture=amd64", "APT::Architectures=amd64", "APT::Sandbox::User=root"],
    ...["APT::Update::Error-Mode=any", "Acquire::Languages=none", "Acquire::Retries=3"],
  ].flatMap((option) => ["-o", option]);
  const env = { LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  const apt = (command: string, ...args: string[]) =>
    run(command, [...options, ...args], { cwd: directory, env });
  await apt("apt-get", "-qq", "update");
  const known = (await apt("apt-cache", "pkgnames")).split("\n");
  const optional = (source.optional ?? []).filter((name) => known.includes(name));
  await apt("apt-get", "-qq", "download", ...source.packages, ...optional);
  await rm(work, { recursive: true });
}

/** A key ring with the pinned key alone, whatever else the file holds. */
async function pinnedKey({ key, keyFingerprint }: AptSource, work: string): Promise<string> {
  const [file, keyring] = [join(work, "key"), join(work, "keyring.gpg")];
  await download(key, file);
  // GnuPG looks for its agent's socket there, whose path must be short.
  const home = await mkdtemp(join(tmpdir(), "oslo-gnupg-"));
  try {
    const gpg = ["--homedir", home, "--batch", "--quiet", "--no-autostart"];
    await run("gpg", [...gpg, "--import", file]);
    const list = await run("gpg", [...gpg, "--with-colons", "--list-keys"]);
    // The line after a primary key's has its fingerprint; subkeys have their own.
    const found = [...list.matchAll(/^pub:.*\nfpr:+([0-9A-F]{40}):/gm)].map(([, print]) => print);
    if (!found.includes(keyFingerprint)) {
      throw new Error(
        `${key}: its keys are ${found.join(", ") || "none"}, expected ${keyFingerprint}: somebody else has signed the repository`,
      );
    }
    await run("gpg", [...gpg, "--output", keyring, "--export", keyFingerprint]);
  } finally {
    await rm(home, { recursive: true });
  }
  return keyring;
}
