import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Row } from "../../verify/run.ts";

/** The last whole verification from this machine. */
export interface Proved {
  at: Date;
  rows: Pick<Row, "promise" | "verdict" | "answered">[];
}

export function rememberProved(cluster: string, rows: readonly Row[], at: Date): void {
  const file = fileOf(cluster);
  mkdirSync(dirname(file), { recursive: true });
  const kept = rows.map(({ promise, verdict, answered }) => ({ promise, verdict, answered }));
  writeFileSync(file, JSON.stringify({ at, rows: kept }));
}

export function lastProved(cluster: string): Proved | undefined {
  try {
    const { at, rows } = JSON.parse(readFileSync(fileOf(cluster), "utf8"));
    return { at: new Date(at), rows };
  } catch {
    return undefined; // never, or by another version
  }
}

function fileOf(cluster: string): string {
  const home = process.env.XDG_STATE_HOME ?? join(homedir(), ".local/state");
  return join(home, "oslo-cluster", `${cluster}.verified.json`);
}
