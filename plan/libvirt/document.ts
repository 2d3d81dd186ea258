/** What a hypervisor shall have, as one script wants it. Holds no secret. */
export interface HypervisorDocument {
  /** The script, a file of that name in steps/hypervisor/. */
  script: string;
  /** What a change means, where the preview shows it. */
  note: string;
  /** Settings that the script reads as shell variables. */
  vars: Record<string, string>;
  /** Files that the script finds in its working directory, by name. */
  files: Record<string, string>;
}

/**
 * Renders a document as the shell that hands it to its script: Pulumi shows its difference line by
 * line, and the hypervisor needs no parser. Values are quoted, and the lines of files begin with two
 * blanks, so that no content ends either. A node's format is another one, since nodes are claimed and have
 * oslo-step, which reads it: nothing is installed on a hypervisor, so each of its resources would carry that reader.
 * @throws Error for a NUL, which no shell can hold: a bug of the plan.
 */
export function renderDocument({ script, note, vars, files }: HypervisorDocument): string {
  const lines = [`# ${note}`];
  for (const [key, value] of Object.entries(vars)) {
    lines.push(`${key}='${value.replaceAll("'", "'\\''")}'`);
  }
  for (const [name, content] of Object.entries(files)) {
    lines.push(`document ${name} <<'${end}'`, ...content.trimEnd().split("\n").map(indented), end);
  }
  const text = `${lines.join("\n")}\n`;
  if (text.includes("\0")) throw new Error(`${script}: a NUL`);
  return text;
}

const end = "OSLO_CLUSTER_END";
const indented = (line: string) => (line === "" ? "" : `  ${line}`);

/** A rendered document's settings, files left out. */
export function documentVars(rendered: string): Record<string, string> {
  return Object.fromEntries(
    [...rendered.matchAll(/^(\w+)='((?:[^']|'\\'')*)'$/gm)].map(
      ([, key, value = ""]) => [key, value.replaceAll("'\\''", "'")] as const,
    ),
  ) as Record<string, string>;
}
