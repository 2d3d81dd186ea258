import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { run } from "../../shell.ts";
import type { FileSource } from "./sources.ts";

/** Downloads a file. @throws where the address does not answer with it */
export async function download(url: string, file: string): Promise<void> {
  const patience = ["--retry", "3", "--connect-timeout", "10"];
  await run("curl", [
    "--fail",
    "--silent",
    "--show-error",
    "--location",
    ...patience,
    "-o",
    file,
    url,
  ]);
}

/**
 * Downloads a file into a directory, and compares it with its checksum.
 *
 * @returns the file's path
 * @throws where it is another
 */
export async function downloadVerified(
  { url, sha256 }: FileSource,
  directory: string,
): Promise<string> {
  const file = join(directory, basename(new URL(url).pathname));
  await download(url, file);
  const expected = typeof sha256 === "string" ? sha256 : await listed(sha256.list, file);
  const found = createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
  if (found !== expected) {
    throw new Error(
      `${url}: SHA-256 is ${found}, expected ${expected}: it is not what was published`,
    );
  }
  return file;
}

/** The checksum that a publisher's list has for a file. */
async function listed(list: string, file: string): Promise<string> {
  const copy = `${file}.checksums`;
  await download(list, copy);
  const name = basename(file);
  const lines = (await readFile(copy, "utf8"))
    .split("\n")
    .map((line) => line.trim().split(/\s+\*?/));
  const sum = lines.find(([, of]) => of === name)?.[0];
  if (!sum) throw new Error(`${list}: has no checksum of ${name}`);
  return sum;
}
