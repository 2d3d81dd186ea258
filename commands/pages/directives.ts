import type { Config } from "../../config/config.ts";
import type { AppliedDirective, Directive } from "../../plan/directive.ts";
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
    table(["No.", "The article says", "Applied", "Why"], appliedRows(config)),
  ].join("\n\n");
}

/** One row per directive, though one directive may become several settings. */
function appliedRows(config: Config): string[][] {
  const settings = new Map<string, AppliedDirective[]>();
  for (const directive of directives(config)) {
    const { article, says, why } = directive;
    const key = [article, says, why].join("\n");
    settings.set(key, [...(settings.get(key) ?? []), directive]);
  }
  return [...settings.values()].map((all) => {
    const { article, says, why } = all[0] as AppliedDirective;
    return [article, text(says), all.map(({ applied }) => code(applied)).join("<br>"), text(why)];
  });
}
