import type { ResourceValidationPolicy } from "@pulumi/policy";
import { isCommand } from "./texts.ts";

/**
 * Changed triggers replace: Pulumi makes the new one first, on the same machine, and then runs the old
 * one's delete there, which takes away what was just made.
 */
export const deletePolicy: ResourceValidationPolicy = {
  name: "delete-before-replace",
  description:
    "A command with a delete has no triggers, unless it is deleted before it is replaced.",
  remediationSteps: "Leave out triggers, or set deleteBeforeReplace.",
  severity: "critical",
  validateResource: ({ type, props, opts }, report) => {
    if (!isCommand(type)) return;
    // By their keys: what is in them may be unknown in a preview.
    if (!("delete" in props && "triggers" in props) || opts.deleteBeforeReplace) return;
    report("it has a delete and triggers: a replacement would delete what it has just made");
  },
};
