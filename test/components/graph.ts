import type { Registered } from "./program.ts";

/** The resources of a run, and what must be done before what. Names are taken as unique. */
export class Graph {
  readonly resources: readonly Registered[];
  private readonly byName: Map<string, Registered>;
  private readonly byUrn: Map<string, Registered>;

  constructor(resources: readonly Registered[]) {
    this.resources = resources;
    this.byName = new Map(resources.map((resource) => [resource.name, resource]));
    this.byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
    if (this.byName.size !== resources.length) throw new Error("two resources share a name");
  }

  get(name: string): Registered {
    const found = this.byName.get(name);
    if (found === undefined) throw new Error(`no resource ${name}`);
    return found;
  }

  nameOf(urn: string): string {
    return this.byUrn.get(urn)?.name ?? "";
  }

  ofType(pattern: RegExp | string): Registered[] {
    return this.resources.filter(({ type }) =>
      typeof pattern === "string" ? type === pattern : pattern.test(type),
    );
  }

  matching(pattern: RegExp): string[] {
    return this.resources.map(({ name }) => name).filter((name) => pattern.test(name));
  }

  /** Names of the resources that an input is made of. */
  madeOf(name: string, input: string): string[] {
    return (this.get(name).propertyDependencies[input] ?? []).map((urn) => this.nameOf(urn));
  }

  /** Everything that is done on a node, but for giving it back. */
  stepsOf(node: string): Registered[] {
    const others = [`${node}-release`, `${node}-identity`, `${node}-leave`];
    return this.ofType(/^command:/).filter(
      ({ name, parent }) => this.nameOf(parent) === node && !others.includes(name),
    );
  }

  /** Names of all that must be done before this one begins: what it, its provider and its parents wait for. */
  before(name: string): string[] {
    const found = new Set<Registered>();
    const visit = (resource: Registered | undefined): void => {
      if (resource === undefined) return;
      const provider = resource.provider.split("::").slice(0, 4).join("::");
      for (const urn of [...resource.dependencies, provider]) {
        const needed = this.byUrn.get(urn);
        if (needed === undefined || found.has(needed)) continue;
        found.add(needed);
        visit(needed);
      }
      visit(this.byUrn.get(resource.parent));
    };
    visit(this.get(name));
    return [...found].map((resource) => resource.name);
  }

  /** One line per resource, indented below its parent, sorted. */
  outline(parent = "", indent = ""): string {
    return this.resources
      .filter((resource) => resource.parent === parent)
      .map(({ urn, type, name }) => `${indent}${type} ${name}\n${this.outline(urn, `${indent}  `)}`)
      .sort()
      .join("");
  }
}
