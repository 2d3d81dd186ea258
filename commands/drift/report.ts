import { printableLines } from "../../config/problem.ts";
import type { Asked } from "./machine.ts";

/** A line for each difference and each machine that could not be asked, and the sum. */
export function formatDrift(asked: readonly Asked[]): string {
  const lines = asked.flatMap(({ name, drift, errors }) => [
    ...drift.flatMap(({ document, differences }) =>
      differences.map((difference) => `${name}  ${document}  ${difference}`),
    ),
    ...(errors.length > 0 ? [`${name}  not compared: ${errors.join("; ")}`] : []),
  ]);
  return [...lines.map(printableLines), summary(asked)].join("\n");
}

function summary(asked: readonly Asked[]): string {
  const documents = asked.reduce((sum, { compared }) => sum + compared, 0);
  const kinds = (["node", "hypervisor"] as const)
    .map((kind) => [kind, asked.filter((machine) => machine.kind === kind).length] as const)
    .filter(([, number]) => number > 0)
    .map(([kind, number]) => count(number, kind));
  const drifted = asked.filter(({ drift }) => drift.length > 0).length;
  const failed = asked.filter(({ errors }) => errors.length > 0).length;
  return `${documents} documents compared on ${kinds.join(" and ")}: ${count(drifted, "machine")} drifted, ${failed} not compared`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
