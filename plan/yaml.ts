import { stringify } from "yaml";

// Equal parts are written out, not referred to; texts that YAML 1.1 reads as truth values, as `Yes`,
// are in quotes: kubectl reads 1.1.
const options = { lineWidth: 0, aliasDuplicateObjects: false, version: "1.1" } as const;

/** Renders documents of one file, stable and without line folding. */
export function renderYaml(...documents: unknown[]): string {
  return documents.map((document) => stringify(document, options)).join("---\n");
}
