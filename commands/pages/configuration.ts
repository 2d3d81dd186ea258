import { configurationSchema, type JsonSchema } from "./json-schema.ts";
import { code, table, text } from "./markdown.ts";

/** One table per section of the stack's file. */
export function configuration(): string {
  const sections = Object.entries(configurationSchema().properties ?? {});
  return sections
    .map(([name, section]) => {
      const head = ["Field", "Type", "Default", "A change is", "What it is"];
      return `#### ${name}\n\n${table(head, fields(section, name))}`;
    })
    .join("\n\n");
}

function fields({ properties = {}, required = [] }: JsonSchema, path: string): string[][] {
  return Object.entries(properties).flatMap(([key, field]) => {
    const own = `${path}.${key}`;
    const inner = field.items?.properties ? `${own}[]` : own;
    return [
      ...(field.description ? [row(own, field, required.includes(key))] : []),
      ...fields(field.items?.properties ? field.items : field, inner),
    ];
  });
}

function row(path: string, field: JsonSchema, isRequired: boolean): string[] {
  const { said, rest } = splitDefault(field.description ?? "");
  const written = defaultOf(field);
  return [
    code(path),
    typeOf(field),
    isRequired ? "**required**" : (written ?? text(said)),
    field.impact ?? "",
    text(written === undefined ? rest : (field.description ?? "")),
  ];
}

/** Descriptions tell of defaults that follow from other fields, or that are empty: `Default: none.` */
function splitDefault(description: string): { said: string; rest: string } {
  const [sentence = "", said = "none"] = description.match(/ ?Default: (.*?)\.(?= |$)/) ?? [];
  return { said, rest: description.replace(sentence, "") };
}

function typeOf(field: JsonSchema): string {
  if (field.enum) return field.enum.map((value) => code(String(value))).join(", ");
  if (field.items?.enum) return `list of ${typeOf(field.items)}`;
  if (field.items) return `list of ${plural(typeOf(field.items))}`;
  if (field.properties) return field.title ?? "object";
  if (field.additionalProperties) {
    return `map to ${plural(typeOf(field.additionalProperties))}`;
  }
  if (field.type === undefined) return "any value";
  if (field.type === "integer" || field.type === "number") return `${field.type}${bounds(field)}`;
  return field.title ?? [field.type].flat().join(" or ");
}

function plural(words: string): string {
  return `${words.replace(/ or (\w+)$/, "s or $1").replace(/address$/, "addresse")}s`;
}

function bounds({ minimum, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema): string {
  if (minimum === undefined) return "";
  return maximum === Number.MAX_SAFE_INTEGER ? ` ≥ ${minimum}` : ` ${minimum}–${maximum}`;
}

/** The schema's own default; none where it has none, or an empty one. */
function defaultOf({ default: value }: JsonSchema): string | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return value.map((item) => code(String(item))).join(", ") || undefined;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => code(`${key}: ${item}`));
    return entries.join(", ") || undefined;
  }
  return code(String(value));
}
