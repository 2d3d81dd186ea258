/** The steps that run on nodes; each is a script of that name in steps/. */
export type StepName =
  | "prerequisites"
  | "gate-host"
  | "gate-etcd-disk"
  | "gate-peers"
  | "gate-guest"
  | "kernel"
  | "swap"
  | "time-sync"
  | "packages"
  | "containerd"
  | "images"
  | "kubelet"
  | "kubeadm-init"
  | "kubeadm-join"
  | "ready"
  | "probe";

/** The desired state of one step on one node. It reaches the node on stdin, and nothing else does. */
export interface StepDocument {
  step: StepName;
  /** Settings that the script reads as shell variables. */
  vars: Record<string, string>;
  /** Files that the script puts in place: path to content. */
  files: Record<string, string>;
}

/** Makes a document; contents end in one newline. */
export function step(
  name: StepName,
  vars: Record<string, string | number | boolean> = {},
  files: Record<string, string> = {},
): StepDocument {
  return {
    step: name,
    vars: Object.fromEntries(Object.entries(vars).map(([key, value]) => [key, String(value)])),
    files: Object.fromEntries(
      Object.entries(files).map(([path, content]) => [path, `${content.trimEnd()}\n`]),
    ),
  };
}

/**
 * Renders a document in the small subset of YAML that steps/oslo-step reads with awk: Pulumi shows
 * its difference line by line, and a node needs no parser.
 * @throws Error for a value that the subset cannot hold: a bug of the plan, not of the operator.
 */
export function renderStep({ step, vars, files }: StepDocument): string {
  const lines = [`step: ${step}`, "vars:"];
  for (const [key, value] of Object.entries(vars)) {
    if (/["\\\n]/.test(value))
      throw new Error(`step ${step}: ${key} holds a quote, backslash or newline`);
    lines.push(`  ${key}: "${value}"`);
  }
  lines.push("files:");
  for (const [path, content] of Object.entries(files)) {
    if (/^\s/.test(content)) throw new Error(`step ${step}: ${path} begins with white space`);
    lines.push(`  ${path}: |`);
    lines.push(
      ...content
        .trimEnd()
        .split("\n")
        .map((line) => (line === "" ? "" : `    ${line}`)),
    );
  }
  return `${lines.join("\n")}\n`;
}

/** A rendered document's settings; its files are left out, since the plan has them by themselves. */
export function stepVars(rendered: string): Record<string, string> {
  const [vars = ""] = rendered.split(/^files:$/m);
  return Object.fromEntries(
    [...vars.matchAll(/^ {2}(\w+): "(.*)"$/gm)].map(([, key, value]) => [key, value] as const),
  ) as Record<string, string>;
}

/** The paths of a rendered document's files. */
export function stepFilePaths(rendered: string): string[] {
  return [...rendered.matchAll(/^ {2}(\/.+): \|$/gm)].map(([, path]) => path as string);
}
