import type { StepEffects } from "../effect.ts";

/** The scripts that run on hypervisors; each is a file of that name in steps/hypervisor/. */
export type HypervisorScript = "preflight" | "vlan" | "image" | "guest" | "domain" | "live";

/** What a hypervisor shall have, as one script wants it. Holds no secret. */
export interface HypervisorDocument {
  script: HypervisorScript;
  /** Settings that the script reads as shell variables. */
  vars: Record<string, string>;
  /** Files that the script finds in its working directory, by name. */
  files: Record<string, string>;
}

/** What a change means, where the preview shows it. */
const effects: Record<HypervisorScript, string> = {
  preflight: "Measured; changes nothing.",
  vlan: "A change is applied at once.",
  image: "A change is for new guests alone.",
  guest: "A guest is made anew where its UUID, hypervisor, directory or format changes.",
  domain: "A change waits for the guest's next boot: drain the node first.",
  live: "A change is applied at once.",
};

export function document(
  script: HypervisorScript,
  vars: Record<string, string | number | boolean | undefined>,
  files: Record<string, string> = {},
): HypervisorDocument {
  const given = Object.entries(vars).filter(([, value]) => value !== undefined);
  return { script, vars: Object.fromEntries(given.map(([k, v]) => [k, String(v)])), files };
}

/**
 * Renders a document as the shell that hands it to its script: Pulumi shows its difference line by
 * line, and the hypervisor needs no parser.
 * @throws Error for a value that would end its quotes or its file: a bug of the plan.
 */
export function renderDocument({ script, vars, files }: HypervisorDocument): string {
  const lines = [`# ${effects[script]}`];
  for (const [key, value] of Object.entries(vars)) {
    if (/['\n]/.test(value)) throw new Error(`${script}: ${key} holds a quote or a newline`);
    lines.push(`${key}='${value}'`);
  }
  for (const [name, content] of Object.entries(files)) {
    if (content.includes(end)) throw new Error(`${script}: ${name} holds ${end}`);
    lines.push(`document ${name} <<'${end}'`, content.trimEnd(), end);
  }
  return `${lines.join("\n")}\n`;
}

const end = "OSLO_CLUSTER_END";

/** A rendered document's settings, files left out. */
export function documentVars(rendered: string): Record<string, string> {
  return Object.fromEntries(
    [...rendered.matchAll(/^(\w+)='(.*)'$/gm)].map(([, key, value]) => [key, value] as const),
  ) as Record<string, string>;
}

/** What a script does when its document changes; as those of steps. */
export type DocumentEffects = StepEffects;
