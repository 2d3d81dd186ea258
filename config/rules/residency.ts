import type { Config } from "../config.ts";
import type { Rule } from "../rule.ts";

/** The EEA: the EU's members, Iceland, Liechtenstein and Norway (ISO 3166-1). */
const eea =
  "AT BE BG HR CY CZ DE DK EE ES FI FR GR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split(
    " ",
  );

/** The region against the residency that was promised. */
export const regionInResidency: Rule = function* ({ cluster }) {
  const problem = outsideResidency(cluster.residency, cluster.region);
  if (problem) yield { path: "cluster.region", value: cluster.region, ...problem };
};

/** What is wrong with data in a region; nothing where it is within the residency. */
export function outsideResidency(
  residency: Config["cluster"]["residency"],
  region: string,
): { why: string; fix: string } | undefined {
  const country = region.slice(0, 2);
  const allowed = residency === "NO" ? ["NO"] : eea;
  if (allowed.includes(country)) return undefined;
  return {
    why: `${country} is outside cluster.residency (${residency})`,
    fix:
      residency === "NO" && eea.includes(country)
        ? "choose a region in Norway, or residency: EEA"
        : `choose a region in ${residency === "NO" ? "Norway" : "the EEA"}`,
  };
}
