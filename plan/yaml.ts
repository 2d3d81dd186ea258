import { stringify } from "yaml";

/** Renders documents of one file, stable and without line folding. */
export function renderYaml(...documents: unknown[]): string {
  return documents.map((document) => stringify(document, { lineWidth: 0 })).join("---\n");
}
