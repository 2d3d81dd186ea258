import type { Directive } from "../config/directive.ts";

export type { Directive };

/** A directive with what the plan applies for it. */
export interface AppliedDirective extends Directive {
  applied: string;
}
