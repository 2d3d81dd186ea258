import { bar, label, line, picture } from "./svg.ts";

/** What the picture needs of the state that `pulumi stack export` prints. */
interface Exported {
  deployment: { resources?: Stored[] };
}

interface Stored {
  urn: string;
  custom?: boolean;
  created?: string;
  provider?: string;
  dependencies?: string[];
  propertyDependencies?: Record<string, string[] | null>;
}

interface Span {
  name: string;
  /** Seconds since the engine began. */
  from: number;
  to: number;
  /** What it waited for last. */
  last?: Span;
}

const [width, margin, row, names] = [1200, 24, 20, 250];
/** Shorter ones are left out where nothing waited for them to the end, in seconds. */
const shortest = 1;

/**
 * The time of each resource that a first `up` made: it could begin when all that it waits for was there,
 * and it was there when the engine wrote it down. Pure.
 */
export function spansOf(exported: string): Span[] {
  const { deployment } = JSON.parse(exported) as Exported;
  const all = (deployment.resources ?? []).flatMap((resource) =>
    resource.created === undefined
      ? []
      : [{ ...resource, at: new Date(resource.created).getTime() }],
  );
  const start = Math.min(...all.map(({ at }) => at));
  const spans = new Map<string, Span>();
  for (const resource of all.filter(({ custom }) => custom).sort((a, b) => a.at - b.at)) {
    const needed = [
      ...(resource.dependencies ?? []),
      ...Object.values(resource.propertyDependencies ?? {}).flatMap((urns) => urns ?? []),
      ...(resource.provider ? [resource.provider.replace(/::[^:]*$/, "")] : []),
    ];
    const last = needed
      .flatMap((urn) => spans.get(urn) ?? [])
      .reduce<Span | undefined>((a, b) => (a === undefined || b.to > a.to ? b : a), undefined);
    spans.set(resource.urn, {
      name: resource.urn.split("::").at(-1) ?? "",
      from: last?.to ?? 0,
      to: (resource.at - start) / 1000,
      ...(last ? { last } : {}),
    });
  }
  return [...spans.values()];
}

/** What the end waited for, from the first on. */
export function criticalPath(spans: readonly Span[]): Span[] {
  const path: Span[] = [];
  let at = spans.reduce<Span | undefined>((a, b) => (a && a.to >= b.to ? a : b), undefined);
  for (; at !== undefined; at = at.last) path.unshift(at);
  return path;
}

/** The bring-up as a picture: what was made when, what waited for what, and the critical path. Pure. */
export function timelinePicture(exported: string): string {
  const spans = spansOf(exported);
  const path = criticalPath(spans);
  const whole = path.at(-1)?.to ?? 0;
  const shown = spans
    .filter((span) => path.includes(span) || span.to - span.from >= shortest)
    .sort((a, b) => a.from - b.from || a.to - b.to);
  const left = margin + names;
  const x = (seconds: number) => left + (seconds / (whole || 1)) * (width - left - 80);
  const top = 60;
  const y = (span: Span) => top + shown.indexOf(span) * row;
  const parts = shown.flatMap((span) => {
    const isCritical = path.includes(span);
    const seconds = `${(span.to - span.from).toFixed(1)} s`;
    const { last } = span;
    const waits =
      isCritical && last ? [line(x(last.to), y(last) + 14, x(last.to), y(span) + 2)] : [];
    return [
      label(margin, y(span) + 13, span.name),
      ...waits,
      bar(
        isCritical ? "critical" : "span",
        x(span.from),
        y(span) + 2,
        x(span.to) - x(span.from),
        14,
        `${span.name}: ${seconds}, from ${span.from.toFixed(1)} s`,
      ),
      label(x(span.to) + 6, y(span) + 13, seconds),
    ];
  });
  const title = `${spans.length} resources in ${whole.toFixed(0)} s; orange: what the end waited for`;
  return picture(width, top + shown.length * row + margin, title, parts);
}
