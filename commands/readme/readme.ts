import type { Config } from "../../config/config.ts";
import { configuration } from "./configuration.ts";
import { directiveTables } from "./directives.ts";
import { promiseTable } from "./promises.ts";

/** The generated parts of the README by name. */
const parts: Record<string, (config: Config) => string> = {
  configuration,
  directives: directiveTables,
  promises: promiseTable,
};

/**
 * The README with its generated parts, between `<!-- generated: NAME -->` and
 * `<!-- /generated -->`, made anew. Pure.
 * @param config The example stack, from whose plan the directives' values come.
 * @throws Error where a part has no place, or a place no part.
 */
export function renderReadme(readme: string, config: Config): string {
  const missing = new Set(Object.keys(parts));
  const rendered = readme.replace(
    /(<!-- generated: (\S+) -->\n)[\s\S]*?(<!-- \/generated -->)/g,
    (_, begin: string, name: string, end: string) => {
      const part = parts[name];
      if (part === undefined || !missing.delete(name)) {
        throw new Error(
          `README.md: generated: ${name}: not one of ${Object.keys(parts).join(", ")}, or there twice; remove the marker`,
        );
      }
      return `${begin}\n${part(config)}\n\n${end}`;
    },
  );
  if (missing.size > 0) {
    const [name] = missing;
    throw new Error(
      `README.md: no place for ${name}; add <!-- generated: ${name} --> and <!-- /generated -->`,
    );
  }
  return rendered;
}
