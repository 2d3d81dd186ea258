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
 * What stands on machines still, by what is left in the state after a destroy: a resource whose
 * deletion failed says in its own command what it would have removed, and where.
 */
export function leftoversOfState(name: string, { resources = [] }: State): Leftover[] {
  const found = resources.flatMap(({ inputs }) => {
    const [, where, what] = saying(inputs?.delete).match(onMachine) ?? [];
    if (where === undefined || what === undefined) return [];
    const how = `it goes with the next: npm run ephemeral -- down ${name}; if ${where} is gone for good: npm run ephemeral -- down ${name} --abandon ${where}`;
    return [{ where, what, how }];
  });
  return unique(found);
}

/**
 * What a destroy has given up on: what stood in the state before it, on machines that were named as gone
 * for good, and does not any more.
 */
export function leftoversOfAbandoned(
  clusterName: string,
  before: State,
  after: State,
  abandoned: readonly string[],
): Leftover[] {
  const still = leftoversOfState(clusterName, after);
  return leftoversOfState(clusterName, before)
    .filter(({ where }) => abandoned.includes(where))
    .filter((one) => !still.some(({ where, what }) => where === one.where && what === one.what))
    .map(({ where, what }) => ({ where, what, how: removal(clusterName, where, what) }));
}

/** What machines told while they were given back. */
export function leftoversOfLog(log: string): Leftover[] {
  const packages = log.matchAll(/some packages could not be purged on ([\w.-]+): ([\w.+ -]+)/g);
  return unique(
    [...packages].map(([, where = "", names = ""]) => ({
      where,
      what: `the packages ${names.trim()}`,
      how: `on ${where}: apt-get purge --allow-change-held-packages ${names.trim()}`,
    })),
  );
}

/** A resource in the state that says nothing of what it leaves. */
export function otherRemains(name: string, { resources = [] }: State): Leftover[] {
  const silent = resources.filter(
    ({ inputs }) => inputs?.delete !== undefined && !onMachine.test(saying(inputs.delete)),
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

/** What steps/ssh/command.ts writes into every `delete` that reaches a machine. */
const onMachine = /left behind on ([\w.-]+): ([^:"]+?) \(abandoned by OSLO_CLUSTER_ABANDON\)/;

/** A command's text; the engine may have wrapped it as a secret, whose text is its own. */
function saying(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? "");
}

/** By the words of the components that leave it. */
function removal(clusterName: string, where: string, what: string): string {
  const virsh = "virsh --connect qemu:///system";
  const [, domain, directory] = what.match(/^the domain (\S+) and (\S+)$/) ?? [];
  if (domain)
    return `on ${where}: ${virsh} destroy ${domain}; ${virsh} undefine ${domain} --nvram; rm -rf ${directory}`;
  const [, image] = what.match(/^the image (\S+)$/) ?? [];
  if (image) return `on ${where}: rm -f ${image}`;
  const [, bridge = "", device] = what.match(/^the bridge (\S+) and (\S+)$/) ?? [];
  if (device) {
    const unit = `oslo-cluster-vlan${bridge.replace(/^oslo/, "")}.service`;
    return `on ${where}: systemctl disable --now ${unit}; rm /etc/systemd/system/${unit}; ip link delete ${device}; ip link delete ${bridge}`;
  }
  return `should ${where} answer again, as root there, fed with steps/release.sh: bash -s -- ${clusterName}; or reinstall it. Until then no cluster can claim it`;
}

function unique(leftovers: Leftover[]): Leftover[] {
  return [...new Map(leftovers.map((one) => [`${one.where} ${one.what}`, one])).values()];
}
