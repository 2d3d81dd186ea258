import { parse } from "yaml";
import { parsePath } from "../../plan/layout.ts";
import { stepVars } from "../../plan/step.ts";
import type { Files } from "./plan-parts.ts";

/** What two plans together mean, and no diff of one document shows. Pure. */
export function risksOf(base: Files, head: Files): string[] {
  return [...controlPlaneRisks(base, head), ...versionRisks(base, head)];
}

/** etcd loses its majority before its data: members go and come one at a time. */
function controlPlaneRisks(base: Files, head: Files): string[] {
  const [before, after] = [controlPlanes(base), controlPlanes(head)];
  const gone = [...before.keys()].filter((name) => !after.has(name));
  const come = [...after.keys()].filter((name) => !before.has(name));
  const recreated = [...before].flatMap(([name, identity]) =>
    after.has(name) && after.get(name) !== identity ? [name] : [],
  );
  const touched = [...gone, ...recreated];
  const risks: string[] = [];
  if (touched.length > 0 && before.size === 1) {
    risks.push(
      `the only control plane is removed or re-created (${touched}): etcd's data is lost with it; take a snapshot first`,
    );
  }
  if (before.size > 1 && touched.length > 1) {
    risks.push(
      `${touched.length} of ${before.size} control planes are removed or re-created at once (${touched.join(", ")}): do one, and wait for etcd to have all its members`,
    );
  }
  if (before.size > 1 && before.size - touched.length < majority(before.size)) {
    risks.push(
      `etcd's quorum breaks: ${before.size - touched.length} of ${before.size} members stay, ${majority(before.size)} are needed`,
    );
  }
  if (before.size > 1 && touched.length > 0 && come.length > 0) {
    risks.push(
      `control planes go (${touched.join(", ")}) and come (${come.join(", ")}) in one change: an order that the quorum survives needs one change for each`,
    );
  }
  if (after.size % 2 === 0 && after.size !== before.size && after.size > 0) {
    risks.push(
      `${after.size} control planes: an even number of etcd members survives no more failures than one fewer`,
    );
  }
  return risks;
}

function majority(members: number): number {
  return Math.floor(members / 2) + 1;
}

/** Control planes by name, with what makes each another machine. */
function controlPlanes(files: Files): Map<string, string> {
  const found = new Map<string, string>();
  for (const [path, content] of files) {
    const place = parsePath(path);
    if (place?.kind !== "facts" || place.machine !== "node") continue;
    const { name, role, reach, guest } = parse(content);
    if (role === "control-plane") found.set(name, guest?.identity ?? reach?.hostKey ?? "");
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
