import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { root } from "../../root.ts";

const own = join(root, "test/lab/plugins/bin");
const path = (process.env.PATH ?? "").split(delimiter);
const node = dirname(process.execPath);

/** Where to look for plugins: the lab's first; and upstream's first, where its plugin of a package is on PATH. */
export function pluginsOf(name: string): { whose: string; path: string }[] {
  const upstream = path.find((directory) => isProgram(join(directory, `pulumi-resource-${name}`)));
  const found = upstream ? [[upstream, node, own, ...path]] : [];
  return [
    { whose: "the lab's plugins", path: [own, node, ...path].join(delimiter) },
    ...found.map((all) => ({ whose: "upstream's plugins", path: all.join(delimiter) })),
  ];
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return !file.startsWith(own);
  } catch {
    return false;
  }
}
