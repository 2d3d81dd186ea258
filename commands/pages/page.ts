import type { Config } from "../../config/config.ts";
import { configuration } from "./configuration.ts";
import { directiveTables } from "./directives.ts";
import { machineTable } from "./machines.ts";
import { portTable } from "./ports.ts";
import { promiseTable } from "./promises.ts";

/** The pages with generated parts: their names, and what makes them. */
export const generated: Readonly<Record<string, Record<string, (config: Config) => string>>> = {
  "docs/configuration.md": { configuration },
  "docs/verification.md": { promises: promiseTable },
  "docs/articles.md": { directives: directiveTables },
  "docs/getting-started.md": { machines: machineTable, ports: portTable },
};

/**
 * A page with its generated parts, between `<!-- generated: NAME -->` and `<!-- /generated -->`, made
 * again. Pure.
 * @param path Its place in the repository.
 * @param config The example stack, from whose plan the values come.
 * @throws Error where a part has no place or two, or a place no part.
 */
export function renderPage(path: string, page: string, config: Config): string {
  const missing = new Map(Object.entries(generated[path] ?? {}));
  if (missing.size === 0) throw new Error(`${path}: has no generated part`);
  const rendered = page.replace(
    /(<!-- generated: (\S+) -->\n)[\s\S]*?(<!-- \/generated -->)/g,
    (_, begin: string, name: string, end: string) => {
      const make = missing.get(name);
      if (make === undefined) {
        throw new Error(
          `${path}: generated: ${name}: no part of this page, or there twice; remove the marker`,
        );
      }
      missing.delete(name);
      return `${begin}\n${make(config)}\n\n${end}`;
    },
  );
  for (const name of missing.keys()) {
    throw new Error(
      `${path}: no place for ${name}; add <!-- generated: ${name} --> and <!-- /generated -->`,
    );
  }
  return rendered;
}
