import { isAlias, isMap, isScalar, isSeq, type ParsedNode, type Scalar } from "yaml";
import type { Problem } from "./problem.ts";

/** Where each entry of a map or list of the file begins, by the value that the map or list became. */
export type Origins = Map<object, Map<PropertyKey, number>>;

type Report = (offset: number, problem: Problem) => void;

/** Far above what people write, and what is checked in seconds: values in all, entries of one map or list, characters of one text. */
const most = { values: 100_000, entries: 5000, characters: 20_000 };

/**
 * A file's values as Pulumi's own reader (gopkg.in/yaml.v3) has them: YAML 1.2, with YAML 1.1's octal,
 * underscores and merge keys; `on`, `NO` and `22:22` are text. What JSON cannot carry to the program as
 * it is written, such as dates and numbers of more than 53 bits, is reported.
 */
export function plainValue(root: ParsedNode | null, origins: Origins, report: Report): unknown {
  const anchors = new Map<string, { value: unknown; size: number; open: boolean }>();
  let nodes = 0;
  let tooMany = false;

  function convert(node: ParsedNode | null, path: string): unknown {
    if (node === null) return null;
    if (++nodes > most.values) {
      if (!tooMany)
        problem(node, path, `more than ${most.values} values, aliases written out`, "write less");
      tooMany = true;
      return null;
    }
    if (isAlias(node)) return aliased(node, path);
    if (!isScalar(node) && node.items.length > most.entries) {
      problem(node, path, `more than ${most.entries} entries`, "write fewer");
      return null;
    }
    const before = nodes;
    const { anchor } = node;
    const entry = { value: undefined as unknown, size: 1, open: true };
    if (anchor) anchors.set(anchor, entry);
    entry.value = isScalar(node)
      ? scalar(node as Scalar.Parsed, path)
      : isSeq(node)
        ? list(node, path)
        : map(node as Extract<ParsedNode, { items: unknown[] }>, path);
    entry.open = false;
    entry.size = nodes - before + 1;
    return entry.value;
  }

  function problem(node: ParsedNode, path: string, why: string, fix: string, value?: unknown) {
    report(node.range[0], { path: path === "" ? "YAML" : path, value, why, fix });
  }

  function aliased(node: ParsedNode & { source: string }, path: string): unknown {
    const target = anchors.get(node.source);
    const name = `*${node.source}`;
    if (target === undefined) {
      problem(node, path, "no anchor of that name is before it", "write the value", name);
      return null;
    }
    if (target.open) {
      problem(node, path, "an alias of what it is in, without an end", "write the value", name);
      return null;
    }
    nodes += target.size;
    return target.value;
  }

  function list(node: ParsedNode & { items: unknown[] }, path: string): unknown[] {
    const where = new Map<PropertyKey, number>();
    const result: unknown[] = [];
    for (const [i, item] of (node.items as ParsedNode[]).entries()) {
      where.set(i, item?.range?.[0] ?? node.range[0]);
      result.push(convert(item, `${path}[${i}]`));
      if (tooMany) break;
    }
    origins.set(result, where);
    return result;
  }

  function map(node: ParsedNode & { items: unknown[] }, path: string): Record<string, unknown> {
    if (!isMap(node)) return {};
    const where = new Map<PropertyKey, number>();
    const own = new Map<string, unknown>();
    const merged: Record<string, unknown>[] = [];
    for (const { key, value } of node.items as { key: ParsedNode; value: ParsedNode | null }[]) {
      if (tooMany) break;
      if (!isScalar(key)) {
        problem(key ?? node, path, "a key that is not text", "write text");
        continue;
      }
      const word = String((key as Scalar).source ?? (key as Scalar).value ?? "");
      const plain = (key as Scalar).type === "PLAIN";
      const below = path === "" ? word : `${path}.${word}`;
      if (plain && word === "<<") {
        const one = convert(value, below);
        const all = Array.isArray(one) ? one : [one];
        const maps = all.filter((each) => typeof each === "object" && each && !Array.isArray(each));
        if (maps.length === all.length) merged.push(...(maps as Record<string, unknown>[]));
        else problem(key, path, "merges what is not a map", "write an alias of a map", "<<");
        continue;
      }
      if (plain && typeof resolved(word) !== "string") {
        problem(key, below, "a key that YAML reads as no text", "write it in quotes", word);
        continue;
      }
      if (own.has(word)) {
        problem(key, below, "the same key a second time in one map", "keep one of them", word);
        continue;
      }
      where.set(word, key.range[0]);
      own.set(word, convert(value, below));
    }
    // What is written in the map itself wins, then the first of the merged maps.
    const result: Record<string, unknown> = Object.create(null);
    for (const one of merged.reverse()) Object.assign(result, one);
    for (const [key, value] of own) result[key] = value;
    Object.setPrototypeOf(result, Object.prototype);
    origins.set(result, where);
    return result;
  }

  function scalar(node: Scalar.Parsed, path: string): unknown {
    const text = String(node.source ?? node.value ?? "");
    if (text.length > most.characters) {
      problem(node, path, `longer than ${most.characters} characters`, "write less", text);
      return null;
    }
    if (node.tag && !/^(tag:yaml\.org,2002:|!!)(str|int|float|bool|null)$/.test(node.tag)) {
      problem(node, path, "a tag of its own, which Pulumi does not know", "remove it", node.tag);
      return null;
    }
    if (node.type !== "PLAIN" || node.tag?.endsWith("str")) return node.value;
    const value = resolved(text);
    if (typeof value === "object" && value !== null) {
      problem(node, path, value.why, "write it in quotes, or otherwise", text);
      return null;
    }
    return value;
  }

  return convert(root, "");
}

/** A plain scalar as yaml.v3 resolves it (resolve.go); an object says why it cannot be carried on. */
function resolved(text: string): string | number | boolean | null | { why: string } {
  if (/^(~|null|Null|NULL|)$/.test(text)) return null;
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  if (/^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$/.test(text))
    return { why: "not a number that JSON can write" };
  if (!/^[-+.\d]/.test(text) || text.length > 400) return text;
  if (/^\d{4}-\d\d?-\d\d?([Tt ].*)?$/.test(text)) return { why: "read as a date" };
  const plain = text.replaceAll("_", "");
  const [, sign = "", digits] = /^([-+]?)(\d.*)$/.exec(plain) ?? [];
  if (digits !== undefined && /^(\d+|0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.test(digits)) {
    // A number that begins with 0 is octal to Pulumi and decimal to others; 08 is not a number at all.
    if (/^0\d/.test(digits)) return { why: "begins with 0: Pulumi reads an octal number" };
    const value = Number(digits);
    if (!Number.isSafeInteger(value)) return { why: "a number that loses its last digits" };
    return sign === "-" ? -value : value;
  }
  if (/^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(plain)) {
    const value = Number(plain);
    return Number.isFinite(value) ? value : { why: "a number that is too large" };
  }
  return text;
}
