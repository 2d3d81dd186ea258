import type { Selector } from "../config/sections/selector.ts";

export type Labels = Readonly<Record<string, string>>;

/** True where a selector takes something with such labels. @param selector without one all is taken */
export function selects(selector: Selector | undefined, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      const isListed = value !== undefined && values.includes(value);
      return operator === "In" ? isListed : !isListed;
    })
  );
}

/**
 * Labels that as many selectors as possible take; where two cannot have their will, the earlier has.
 * @param fixed labels that the thing has in any case
 */
export function labelsFor(
  selectors: readonly (Selector | undefined)[],
  fixed: Labels,
): Record<string, string> {
  let labels: Labels = {};
  const content: (Selector | undefined)[] = [];
  for (const selector of selectors) {
    const more = { ...needs(selector), ...labels };
    if (![...content, selector].every((one) => selects(one, { ...more, ...fixed }))) continue;
    labels = more;
    content.push(selector);
  }
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !(key in fixed)));
}

/** The fewest labels that a selector is content with. */
function needs({ matchLabels = {}, matchExpressions = [] }: Selector = {}): Labels {
  const expressed = matchExpressions.flatMap(({ key, operator, values = [] }) => {
    if (operator === "Exists") return [[key, "verify"]];
    return operator === "In" ? [[key, values[0] ?? ""]] : [];
  });
  return { ...Object.fromEntries(expressed), ...matchLabels };
}
