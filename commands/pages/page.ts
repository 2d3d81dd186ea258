import type { Config } from "../../config/config.ts";
import { configuration } from "./configuration.ts";
import { directiveTables } from "./directives.ts";
import { promiseTable } from "./promises.ts";

/** The pages with a generated part: its name, and what makes it. */
export const generated: Readonly<
  Record<string, { name: string; make: (config: Config) => string }>
> = {
  "docs/configuration.md": { name: "configuration", make: configuration },
  "docs/verification.md": { name: "promises", make: promiseTable },
  "docs/articles.md": { name: "directives", make: directiveTables },
};

/**
 * A page with its generated part, between `<!-- generated: NAME -->` and `<!-- /generated -->`, made
 * again. Pure.
 * @param path Its place in the repository.
 * @param config The example stack, from whose plan the directives' values come.
 * @throws Error where the part has no place, or another part a place.
 */
export function renderPage(path: string, page: string, config: Config): string {
  const part = generated[path];
  if (part === undefined) throw new Error(`${path}: has no generated part`);
  let places = 0;
  const rendered = page.replace(
    /(<!-- generated: (\S+) -->\n)[\s\S]*?(<!-- \/generated -->)/g,
    (_, begin: string, name: string, end: string) => {
      places += 1;
      if (name !== part.name || places > 1) {
        throw new Error(
          `${path}: generated: ${name}: not ${part.name}, or there twice; remove the marker`,
        );
      }
      return `${begin}\n${part.make(config)}\n\n${end}`;
    },
  );
  if (places === 0) {
    throw new Error(
      `${path}: no place for ${part.name}; add <!-- generated: ${part.name} --> and <!-- /generated -->`,
    );
  }
  return rendered;
}
