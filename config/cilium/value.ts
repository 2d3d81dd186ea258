import type { Config } from "../config.ts";
import type { Directive } from "../directive.ts";

/** A Helm value of Cilium's chart that the plan sets, or that nobody may set. */
export interface CiliumValue {
  /** Dotted path in the chart's values. */
  path: string;
  /** What the plan sets; undefined leaves it to the chart. Without it the value is forbidden. */
  value?: (config: Config) => unknown;
  /** The agent's own options that the chart makes of it; they may not be set past it. */
  options?: readonly string[];
  /** The field of the stack's file that it comes from. */
  field?: string;
  /** Why it is as it is; for a value without a field also what its refusal says. */
  why?: string;
  /** What a change does. @default "agents" */
  impact?: CiliumImpact;
  /** The path of the rest of the chart's values for the same, which raw values may not set. @default path */
  owns?: string;
  /** Below which path of the chart's values the impact is the same. @default path */
  reaches?: string;
  directives?: readonly Directive[];
}

/**
 * What a changed value does: `agents` restart; `resized`: they make maps of another size as well;
 * `operator` or `relay` restart alone; `routed`: it cannot change on a living cluster.
 */
export type CiliumImpact = "agents" | "resized" | "operator" | "relay" | "routed";
