import { parse } from "yaml";
import { parsePath } from "../../plan/layout.ts";
import { type ControlPlanes, identityOf, memberChange, quorumProblems } from "../../plan/quorum.ts";
import { stepVars } from "../../plan/step.ts";
import type { Files } from "./plan-parts.ts";

/** What two plans together mean, and no diff of one document shows. Pure. */
export function risksOf(base: Files, head: Files): string[] {
  return [...controlPlaneRisks(base, head), ...versionRisks(base, head)];
}

/** What a change of etcd's members leaves: what is refused, and fewer that may fail. */
function controlPlaneRisks(base: Files, head: Files): string[] {
  const [before, after] = [controlPlanes(base), controlPlanes(head)];
  const risks = quorumProblems(before, after).map(
    ({ path, value, why, fix }) =>
      `the preview and \`up\` refuse it: ${path}: ${value}: ${why}; ${fix}`,
  );
  const [from, to] = [Object.keys(before).length, Object.keys(after).length];
  if (risks.length === 0 && 0 < to && to < from) {
    const { removed } = memberChange(before, after);
    risks.push(
      `${from} control planes become ${to}: ${removed.join(", ")} leave after all else, one at a time, and the API answers meanwhile; after that etcd survives the loss of ${toLose(to)} of them, where it was ${toLose(from)}`,
    );
  }
  return risks;
}

/** How many members of etcd may be lost before its majority is. */
function toLose(members: number): string {
  return String(Math.ceil(members / 2) - 1).replace(/^0$/, "none");
}

/** Control planes of a rendered plan. */
function controlPlanes(files: Files): ControlPlanes {
  const found: ControlPlanes = {};
  for (const [path, content] of files) {
    const place = parsePath(path);
    if (place?.kind !== "facts" || place.machine !== "node") continue;
    // Most nodes are workers, and reading YAML takes long.
    if (!/^role: control-plane$/m.test(content)) continue;
    const facts = parse(content);
    found[facts.name] = identityOf(facts);
  }
  return found;
}

/** Versions that go back, or on by more than one minor. */
function versionRisks(base: Files, head: Files): string[] {
  const [before, after] = [versions(base), versions(head)];
  return [...after].flatMap(([what, to]) => {
    const from = before.get(what);
    if (from === undefined || from === to) return [];
    const [fromMajor = 0, fromMinor = 0, fromPatch = 0] = numbers(from);
    const [toMajor = 0, toMinor = 0, toPatch = 0] = numbers(to);
    const steps = (toMajor - fromMajor) * 1000 + toMinor - fromMinor;
    if (steps < 0 || (steps === 0 && toPatch < fromPatch)) {
      return [
        `${what} is downgraded from ${from} to ${to}: what it has written may be unreadable to the older one`,
      ];
    }
    if (steps > 1) return [`${what} skips a minor version, from ${from} to ${to}: go through each`];
    return [];
  });
}

function numbers(version: string): number[] {
  return version.split(/[.-]/).map(Number);
}

/** What the plan installs, by name. */
function versions(files: Files): Map<string, string> {
  const found = new Map<string, string>();
  for (const [path, content] of files) {
    const place = parsePath(path);
    if (place?.kind === "cluster" && place.file === "cilium-release.yaml")
      found.set("Cilium", parse(content).version);
    if (place?.kind !== "step" || place.step !== "packages") continue;
    for (const pin of stepVars(content).PACKAGES?.split(" ") ?? []) {
      const [name, version = ""] = pin.split("=");
      const what = { kubeadm: "Kubernetes", "containerd.io": "containerd" }[name ?? ""];
      if (what) found.set(what, version.split("-")[0] ?? version);
    }
  }
  return found;
}
