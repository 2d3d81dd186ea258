import { stringify } from "yaml";

// Equal parts are written out, not referred to; texts that YAML 1.1 reads as truth values, as `Yes`,
// are in quotes: kubectl reads 1.1. There are no tags; to look for them takes half of the time.
const options = {
  lineWidth: 0,
  aliasDuplicateObjects: false,
  version: "1.1",
  directives: false,
} as const;

/** Nodes have most of their documents in common: each is rendered once. By its JSON, which takes a fraction of that. */
const rendered = new Map<string, string>();

/** Renders documents of one file, stable and without line folding. */
export function renderYaml(...documents: unknown[]): string {
  return documents.map(renderOnce).join("---\n");
}

function renderOnce(document: unknown): string {
  const key = JSON.stringify(document);
  const known = rendered.get(key) ?? stringify(document, options);
  rendered.set(key, known);
  return known;
}
