import type { ResourceValidationPolicy } from "@pulumi/policy";
import { deletePolicy } from "./deletes.ts";
import { hostKeyPolicy } from "./host-keys.ts";
import { protectionPolicy } from "./protection.ts";
import { residencyPolicy } from "./residency.ts";
import { loggingPolicy, secretPolicy } from "./secrets.ts";

/** Every rule of the pack. */
export const policies: ResourceValidationPolicy[] = [
  hostKeyPolicy,
  secretPolicy,
  loggingPolicy,
  deletePolicy,
  protectionPolicy,
  residencyPolicy,
];
