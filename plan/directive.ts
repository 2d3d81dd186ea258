import type { Directive } from "../config/directive.ts";

export type { Directive };

/** A directive with what the plan applies for it. */
export interface AppliedDirective extends Directive {
  applied: string;
}

/** The same with the file that applies it, from the repository's root. */
export interface SourcedDirective extends AppliedDirective {
  source: string;
}
