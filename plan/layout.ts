/** The place of a document in a rendered plan. `pathOf` writes it as a path, `parsePath` reads it. */
export type Place =
  | { kind: "cluster"; file: ClusterFile }
  /** An object of the cluster, by the group of objects that it belongs to. */
  | { kind: "object"; group: ObjectGroup; object: string; name: string; namespace?: string }
  | { kind: "probe"; node: string }
  /** Who a machine is, and how it is reached. */
  | { kind: "facts"; machine: MachineKind; name: string }
  | { kind: "step"; name: string; number: number; step: string }
  /** A file of a node, by its path there. */
  | { kind: "file"; name: string; path: string }
  /** What a hypervisor holds for itself, or for the node that is its guest: settings or a file. */
  | { kind: "script"; machine: MachineKind; name: string; file: string };

export type MachineKind = "node" | "hypervisor";

const clusterFiles = [
  "cluster.yaml",
  "cilium-release.yaml",
  "cilium-values.yaml",
  "ready.yaml",
  "verify.yaml",
] as const;
export type ClusterFile = (typeof clusterFiles)[number];

const objectGroups = ["", "cilium", "gateway-api"] as const;
/** The empty one has the namespaces. */
export type ObjectGroup = (typeof objectGroups)[number];

export function pathOf(place: Place): string {
  switch (place.kind) {
    case "cluster":
      return `cluster/${place.file}`;
    case "object": {
      // The namespace is a folder: `a-b/c` and `a/b-c` are two objects.
      const file = `${place.object}-${place.name}.yaml`;
      return ["cluster", place.group, place.namespace, file].filter(Boolean).join("/");
    }
    case "probe":
      return `cluster/probe/${place.node}.yaml`;
    case "facts":
      return `${place.machine}s/${place.name}/${place.machine}.yaml`;
    case "step": {
      const number = String(place.number).padStart(2, "0");
      return `nodes/${place.name}/steps/${number}-${place.step}.yaml`;
    }
    case "file":
      return `nodes/${place.name}/files${place.path}`;
    case "script":
      return place.machine === "node"
        ? `nodes/${place.name}/guest/${place.file}`
        : `hypervisors/${place.name}/${place.file}`;
  }
}

/** Reads a path that `pathOf` has written; nothing for any other. */
export function parsePath(path: string): Place | undefined {
  const [top = "", second = "", ...rest] = path.split("/");
  if (top === "cluster") return inCluster([second, ...rest]);
  const machine = top.slice(0, -1);
  if (!path.endsWith("/") && isMachineKind(machine) && top === `${machine}s` && second !== "")
    return ofMachine(machine, second, rest);
  return undefined;
}

function inCluster(parts: readonly string[]): Place | undefined {
  const file = parts.at(-1) ?? "";
  if (parts.length === 1 && isOneOf(clusterFiles, file)) return { kind: "cluster", file };
  if (!file.endsWith(".yaml")) return undefined;
  const name = file.slice(0, -".yaml".length);
  const folders = parts.slice(0, -1);
  if (folders[0] === "probe")
    return folders.length === 1 && name !== "" ? { kind: "probe", node: name } : undefined;
  const [group = "", namespace, ...more] = folders;
  const dash = name.indexOf("-");
  const known = isOneOf(objectGroups, group) && more.length === 0 && namespace !== "";
  if (!known || (folders.length > 0 && group === "") || dash < 1 || dash === name.length - 1)
    return undefined;
  return {
    kind: "object",
    group,
    object: name.slice(0, dash),
    name: name.slice(dash + 1),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

function ofMachine(machine: MachineKind, name: string, rest: readonly string[]): Place | undefined {
  const [first = "", second = ""] = rest;
  if (rest.length === 1 && first === `${machine}.yaml`) return { kind: "facts", machine, name };
  if (machine === "hypervisor")
    return rest.length === 1 && first !== ""
      ? { kind: "script", machine, name, file: first }
      : undefined;
  if (first === "files" && rest.length > 1)
    return { kind: "file", name, path: `/${rest.slice(1).join("/")}` };
  if (rest.length !== 2 || second === "") return undefined;
  if (first === "guest") return { kind: "script", machine, name, file: second };
  const [, number, step] = second.match(/^(\d{2,})-(.+)\.yaml$/) ?? [];
  if (first !== "steps" || number === undefined || step === undefined) return undefined;
  return { kind: "step", name, number: Number(number), step };
}

function isMachineKind(text: string): text is MachineKind {
  return text === "node" || text === "hypervisor";
}

function isOneOf<const T extends string>(list: readonly T[], text: string): text is T {
  return (list as readonly string[]).includes(text);
}
