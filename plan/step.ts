import type { Config, NodeConfig } from "../config/config.ts";
import type { AppliedDirective } from "./directive.ts";
import type { StepEffects } from "./effect.ts";

/** What is known of a script beside what it is given: steps of nodes and of hypervisors. */
export interface Described<Name extends string = string> {
  name: Name;
  /** What a change of its document does to a living cluster. */
  effects: StepEffects;
  /** The articles' directives that it applies. */
  directives?: (config: Config) => AppliedDirective[];
}

/**
 * A step that runs on nodes: its script is steps/<name>.sh, and all else that is known of it is here.
 * plan/steps/index.ts lists them in the order in which a person would do them.
 */
export interface Step<Name extends string = string> extends Described<Name> {
  /**
   * The Pulumi resource that runs it, `<node>-<resource>`. Steps of one resource run in one SSH
   * session, one after the other.
   */
  resource: string | ((node: NodeConfig) => string);
  /** Runs at the same time as the step before it, which is of the same resource. */
  beside?: true;
  /** The nodes that have it. Default: all. */
  on?: (config: Config, node: NodeConfig) => boolean;
  document: (config: Config, node: NodeConfig) => Content;
}

/** What a step's document holds, before it is normalized. */
export interface Content {
  vars?: Record<string, string | number | boolean>;
  files?: Record<string, string>;
}

/** For the type of the name, which lists derive from. */
export function defineStep<const Name extends string>(definition: Step<Name>): Step<Name> {
  return definition;
}

/** The desired state of one step on one node. It reaches the node on stdin, and nothing else does. */
export interface StepDocument {
  step: string;
  /** Settings that the script reads as shell variables. */
  vars: Record<string, string>;
  /** Files that the script puts in place: path to content. */
  files: Record<string, string>;
}

/** Makes a document; contents end in one newline. */
export function step(
  name: string,
  vars: Content["vars"] = {},
  files: Content["files"] = {},
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
