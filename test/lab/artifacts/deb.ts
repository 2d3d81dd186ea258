import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "../shell.ts";

/** A Debian package to be made from built files. */
export interface DebianPackage {
  name: string;
  version: string;
  description: string;
  homepage: string;
  /** Further control fields, such as Depends. */
  fields?: Readonly<Record<string, string>>;
  /** Path on the node → path of the file on this machine. Those under bin directories are 0755. */
  files: Readonly<Record<string, string>>;
  /** Paths that belong to the administrator once installed. */
  configurationFiles?: readonly string[];
  /** Maintainer script's name → path of the script. */
  scripts?: Readonly<Record<string, string>>;
}

/** Makes the package with dpkg-deb in a directory; its name there is NAME_VERSION_amd64.deb. */
export async function makePackage(description: DebianPackage, directory: string): Promise<void> {
  const tree = join(directory, `${description.name}.tree`);
  const control = join(tree, "DEBIAN");
  await mkdir(control, { recursive: true });
  for (const [path, source] of Object.entries(description.files)) {
    const target = join(tree, path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(source, target);
    await run("chmod", [/\/s?bin\//.test(path) ? "0755" : "0644", target]);
  }
  await writeFile(join(control, "control"), controlFile(description));
  if (description.configurationFiles) {
    await writeFile(join(control, "conffiles"), `${description.configurationFiles.join("\n")}\n`);
  }
  for (const [name, source] of Object.entries(description.scripts ?? {})) {
    await copyFile(source, join(control, name));
    await run("chmod", ["0755", join(control, name)]);
  }
  const file = join(directory, `${description.name}_${description.version}_amd64.deb`);
  await run("dpkg-deb", ["--root-owner-group", "-Zgzip", "-z1", "--build", tree, file]);
  await rm(tree, { recursive: true });
}

function controlFile({ name, version, description, homepage, fields }: DebianPackage): string {
  const entries = {
    Package: name,
    Version: version,
    Architecture: "amd64",
    Maintainer: "oslo-cluster lab <lab@invalid>",
    Section: "net",
    Priority: "optional",
    Homepage: homepage,
    ...fields,
    Description: description,
  };
  return Object.entries(entries)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join("");
}
