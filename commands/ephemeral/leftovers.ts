import { describeLeft, type LeftOn, leftLine, readLeft } from "../../steps/ssh/left.ts";

/** Something that a removed cluster has left somewhere. */
export interface Leftover {
  /** The machine, or `the cluster`. */
  where: string;
  what: string;
  /** How a person removes it, in a line. */
  how: string;
}

/** The part of a stack's exported state that is read here. */
export interface State {
  resources?: {
    urn: string;
    inputs?: Record<string, unknown>;
    outputs?: Record<string, unknown>;
  }[];
}

/**
 * What is still on machines, by what remains in the state after a destroy: a resource whose deletion
 * failed has in its own command what it would have removed, and where.
 */
export function leftoversOfState(name: string, state: State): Leftover[] {
  return unique(
    leftIn(state).map((left) => {
      const where = left.machine;
      const how = `the next run removes it: npm run ephemeral -- down ${name}; if ${where} is gone for good: npm run ephemeral -- down ${name} --abandon ${where}`;
      return { where, what: describeLeft(left), how };
    }),
  );
}

function leftIn({ resources = [] }: State): LeftOn[] {
  return resources.flatMap(({ inputs }) => readLeft(textOf(inputs?.delete)));
}

/**
 * What a destroy has given up on: what the state had before it, on machines that were named as gone
 * for good, and does not any more.
 */
export function leftoversOfAbandoned(
  clusterName: string,
  before: State,
  after: State,
  abandoned: readonly string[],
): Leftover[] {
  const still = new Set(leftIn(after).map(leftLine));
  return unique(
    leftIn(before)
      .filter((left) => abandoned.includes(left.machine) && !still.has(leftLine(left)))
      .map((left) => leftover(clusterName, left)),
  );
}

/** What machines reported while they were given back. */
export function leftoversOfLog(clusterName: string, log: string): Leftover[] {
  return unique(readLeft(log).map((left) => leftover(clusterName, left)));
}

function leftover(clusterName: string, left: LeftOn): Leftover {
  return { where: left.machine, what: describeLeft(left), how: removal(clusterName, left) };
}

/** A resource in the state that says nothing of what it leaves. */
export function otherRemains(name: string, { resources = [] }: State): Leftover[] {
  const silent = resources.filter(
    ({ inputs }) => inputs?.delete !== undefined && readLeft(textOf(inputs.delete)).length === 0,
  );
  return silent.map(({ urn }) => ({
    where: "the state",
    what: urn.split("::").pop() ?? urn,
    how: `npm run ephemeral -- down ${name}`,
  }));
}

/** The report with which `down` ends; one line where nothing is left. */
export function renderReport(name: string, leftovers: readonly Leftover[]): string {
  if (leftovers.length === 0) return `${name}: gone; nothing is left`;
  const lines = leftovers.map(({ where, what, how }) => `  ${where}: ${what}\n    ${how}`);
  const count = leftovers.length === 1 ? "1 thing is" : `${leftovers.length} things are`;
  return [`${name}: ${count} left`, ...lines].join("\n");
}

/** A command's text, also where the engine has wrapped it as a secret. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  const { plaintext } = (value ?? {}) as { plaintext?: string };
  return plaintext === undefined ? "" : `${JSON.parse(plaintext)}`;
}

/** How a person removes it. */
function removal(clusterName: string, left: LeftOn): string {
  const where = left.machine;
  const virsh = "virsh --connect qemu:///system";
  switch (left.kind) {
    case "node":
      return `should ${where} answer again, as root there, fed with steps/release.sh: bash -s -- ${clusterName}; or reinstall it. Until then no cluster can claim it`;
    case "domain":
      return `on ${where}: ${virsh} destroy ${left.domain}; ${virsh} undefine ${left.domain} --nvram; rm -rf ${left.directory}`;
    case "image":
      return `on ${where}: rm -f ${left.file}`;
    case "vlan": {
      const unit = `oslo-cluster-vlan${left.bridge.replace(/^oslo/, "")}.service`;
      return `on ${where}: systemctl disable --now ${unit}; rm /etc/systemd/system/${unit}; ip link delete ${left.device}; ip link delete ${left.bridge}`;
    }
    case "packages":
      return `on ${where}: apt-get purge --allow-change-held-packages ${left.packages.join(" ")}`;
  }
}

function unique(leftovers: Leftover[]): Leftover[] {
  return [...new Map(leftovers.map((one) => [`${one.where} ${one.what}`, one])).values()];
}
