import { existsSync, readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { project } from "../../config/load.ts";

/** What makes a folder a Pulumi project. */
export const projectFile = "Pulumi.yaml";

/** The line by which an editor finds the schema of a stack's file in that folder. */
export function schemaLine(folder: string): string {
  const schema = fileURLToPath(new URL("../../config/stack-file.schema.json", import.meta.url));
  return `# yaml-language-server: $schema=${pathFrom(folder, schema)}`;
}

/**
 * A Pulumi.yaml for a folder, whose program is this package; undefined where the package is not below
 * the folder, as Pulumi wants a program.
 */
export function projectText(folder: string): string | undefined {
  const manifest = findPackageJSON(import.meta.url) as string;
  const { main } = JSON.parse(readFileSync(manifest, "utf8"));
  const built = join(dirname(manifest), main);
  // In a checkout, Node itself strips the types.
  const program = pathFrom(folder, existsSync(built) ? built : join(dirname(manifest), "index.ts"));
  if (program.startsWith("../")) return undefined;
  return stringify({
    name: project,
    description: "Kubernetes clusters in Oslo",
    main: program,
    runtime: {
      name: "nodejs",
      options: { typescript: false, packagemanager: "npm", nodeargs: "--max-semi-space-size=8" },
    },
  });
}

function pathFrom(folder: string, file: string): string {
  return relative(resolve(folder), file).split(sep).join("/");
}
