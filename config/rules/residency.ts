import type { Rule } from "../rule.ts";

/** The EEA: the EU's members, Iceland, Liechtenstein and Norway (ISO 3166-1). */
const eea =
  "AT BE BG HR CY CZ DE DK EE ES FI FR GR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split(
    " ",
  );

/** The region against the residency that was promised. */
export const regionInResidency: Rule = function* ({ cluster }) {
  const country = cluster.region.slice(0, 2);
  const allowed = cluster.residency === "NO" ? ["NO"] : eea;
  if (allowed.includes(country)) return;
  yield {
    path: "cluster.region",
    value: cluster.region,
    why: `${country} is outside cluster.residency (${cluster.residency})`,
    fix:
      cluster.residency === "NO" && eea.includes(country)
        ? "choose a region in Norway, or residency: EEA"
        : `choose a region in ${cluster.residency === "NO" ? "Norway" : "the EEA"}`,
  };
};
