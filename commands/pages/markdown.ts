/** A table of GitHub's Markdown; cells are text, or code where made by `code`. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

/** Text that Markdown leaves as it is, but for what is between backticks already. */
export function text(words: string): string {
  return words
    .split(/(`[^`]*`)/)
    .map((part) =>
      part.startsWith("`") ? part : part.replaceAll("<", "&lt;").replaceAll("*", "\\*"),
    )
    .join("");
}

export function code(words: string): string {
  return `\`${words}\``;
}
