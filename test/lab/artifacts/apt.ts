import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { makeOnce } from "../make-once.ts";
import { cacheDirectory } from "../paths.ts";
import { contentKey, run } from "../shell.ts";

const repositoryScript = join(import.meta.dirname, "apt-repository.sh");

/** A signed apt repository in the cache. */
export interface AptRepository {
  directory: string;
  /** Fingerprint of the signing key: 40 upper-case hexadecimal digits. */
  keyFingerprint: string;
}

/** How a repository is laid out: flat as pkgs.k8s.io, or by suite as download.docker.com. */
export type Layout = { kind: "flat" } | { kind: "suite"; suite: string; component: string };

/**
 * Makes a repository out of a directory of packages whose name in the cache tells its content. The
 * signing key is made once and kept in the cache.
 */
export async function makeRepository(
  name: string,
  packages: string,
  layout: Layout,
): Promise<AptRepository> {
  const key = await signingKey(name);
  const content = contentKey(
    basename(packages),
    (await readdir(packages)).sort().join("\n"),
    key.fingerprint,
    JSON.stringify(layout),
    await readFile(repositoryScript),
  );
  const directory = await makeOnce(
    join(cacheDirectory, "repositories", `${name}-${content}`),
    (partial) => layOut(packages, partial, { layout, keyHome: key.home, origin: `lab ${name}` }),
  );
  return { directory, keyFingerprint: key.fingerprint };
}

/** Lays a directory of packages out as a repository. */
export async function layOut(
  packages: string,
  directory: string,
  /** keyHome is a GnuPG home directory with one secret key, origin what the release calls itself. */
  { layout, keyHome, origin }: { layout: Layout; keyHome: string; origin: string },
): Promise<void> {
  await run("bash", [
    ...[repositoryScript, layout.kind, packages, directory, keyHome, origin],
    ...(layout.kind === "suite" ? [layout.suite, layout.component] : []),
  ]);
}

async function signingKey(name: string): Promise<{ home: string; fingerprint: string }> {
  const home = await makeOnce(join(cacheDirectory, "keys", name), (partial) =>
    generateKey(partial, name),
  );
  return { home, fingerprint: await fingerprintOf(home) };
}

/** Makes a signing key without a passphrase in a GnuPG home directory. */
export async function generateKey(home: string, name: string): Promise<void> {
  await run("chmod", ["0700", home]);
  const identity = `Lab repository ${name} <${name}@lab.invalid>`;
  const options = ["--homedir", home, "--batch", "--pinentry-mode", "loopback"];
  const key = ["--quick-generate-key", identity, "ed25519", "sign", "never"];
  await run("gpg", [...options, "--passphrase", "", ...key]);
  await run("gpgconf", ["--homedir", home, "--kill", "gpg-agent"]);
}

/** @throws where the directory holds no key */
export async function fingerprintOf(home: string): Promise<string> {
  const list = await run("gpg", ["--homedir", home, "--batch", "--with-colons", "--list-keys"]);
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(list)?.[1];
  if (!fingerprint) throw new Error(`${home}: holds no signing key; delete the directory`);
  return fingerprint;
}
