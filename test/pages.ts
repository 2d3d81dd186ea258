import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root.ts";

/** A fenced block of a page. */
export interface Block {
  /** The words after the fence: `sh`, `sh console`. */
  info: string;
  text: string;
}

export function pageText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, info = "", text = ""]) => ({
    info,
    text,
  }));
}

/** Commands of a block, without comments: a line each. */
export function commandsOf({ text }: Block): string[] {
  return text
    .replaceAll("\\\n", " ")
    .split("\n")
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "");
}
