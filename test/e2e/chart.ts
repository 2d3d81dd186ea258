import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parse, parseAllDocuments, stringify } from "yaml";
import type { LabFacts } from "../lab/facts.ts";

type Tools = Pick<LabFacts, "helm" | "chart">;
type Values = Record<string, unknown>;

/** What Helm makes of Cilium's chart, whose schema it holds the values against. */
export async function template({ helm, chart }: Tools, values: Values, kubernetes: string) {
  const folder = mkdtempSync(join(tmpdir(), "chart-"));
  const file = join(folder, "values.yaml");
  writeFileSync(file, stringify(values));
  const args = ["template", "cilium", chart, "--namespace", "kube-system"];
  const { exitCode, stdout, stderr } = await execa(
    helm,
    [...args, "--kube-version", kubernetes, "--values", file],
    { reject: false, stripFinalNewline: false },
  );
  rmSync(folder, { recursive: true });
  return { exitCode, stdout, stderr };
}

/** One object of a rendered chart. */
export function object(rendered: string, kind: string, name: string) {
  return parseAllDocuments(rendered)
    .map((document) => document.toJS())
    .find((candidate) => candidate?.kind === kind && candidate.metadata.name === name);
}

/** The chart's own values, each with its default; a few have none and are absent. */
export async function defaults({ helm, chart }: Tools): Promise<Values> {
  return parse((await execa(helm, ["show", "values", chart])).stdout) as Values;
}

/** Paths of the values that the chart's templates read, some through a variable: `$socketLB`. */
export async function readValues({ chart }: Tools): Promise<string[]> {
  const { stdout } = await execa("tar", ["-xzOf", chart, "cilium/templates"]);
  return [...stdout.matchAll(/(?:\.Values\.|\$)([\w.]+)/g)].map(([, path]) => String(path));
}
