import type { Config } from "../../config/config.ts";
import type { Directive, SourcedDirective } from "../../plan/directive.ts";
import { directives } from "../../plan/directives.ts";
import { code, table, text } from "./markdown.ts";

/** The articles' titles. */
const articles: Record<Exclude<Directive["article"], "all">, string> = {
  "000":
    "Surviving the Packet Storm: A Deep Dive into Kubernetes Networking & CNI Performance in 2025",
  "001": "Packet Loss, Latency, and the CNI Jungle: A Kubernetes Networking Deep Dive for 2025",
  "002": "Kubernetes Networking in 2025: From CNI Chaos to eBPF Precision",
  "003": "Kubernetes Networking Deep Dive: CNI, eBPF, and Latency Optimization in 2024",
  "004": "Kubernetes Networking in 2025: Bypassing the Overlay Tax for Nordic Low-Latency",
};

/** The articles; what they say and what a stack's plan applies. */
export function directiveTables(config: Config): string {
  return [
    table(["No.", "Article"], Object.entries(articles).sort()),
    "Applied, with the values of `examples/Pulumi.articles.yaml`:",
    table(["No.", "The article says", "Applied", "Why", "Where"], appliedRows(config)),
  ].join("\n\n");
}

/** One row per directive, though one directive may become several settings. */
function appliedRows(config: Config): string[][] {
  const settings = new Map<string, SourcedDirective[]>();
  for (const directive of directives(config)) {
    const { article, says, why, source } = directive;
    const key = [article, says, why, source].join("\n");
    settings.set(key, [...(settings.get(key) ?? []), directive]);
  }
  return [...settings.values()].map((all) => {
    const { article, says, why, source } = all[0] as SourcedDirective;
    const applied = all.map((directive) => code(directive.applied)).join("<br>");
    return [article, text(says), applied, text(why), `[${source}](../${source})`];
  });
}
