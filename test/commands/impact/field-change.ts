import type { stackFiles } from "../../stacks.ts";

/** A change of one field of a valid stack, in the direction that means most. */
export interface FieldChange {
  stack: keyof typeof stackFiles;
  /** What is there first, where the stack has it otherwise: path to value. */
  before?: Record<string, unknown>;
  after: Record<string, unknown>;
  /** The plan holds nothing of it. */
  unseen?: boolean;
  /** There is no other value to change it to. */
  onlyValue?: boolean;
}

export const articles = (
  after: Record<string, unknown>,
  before?: Record<string, unknown>,
): FieldChange => ({
  stack: "articles",
  after,
  ...(before ? { before } : {}),
});
export const kvm = (
  after: Record<string, unknown>,
  before?: Record<string, unknown>,
): FieldChange => ({
  ...articles(after, before),
  stack: "libvirt",
});

export const svc = (
  after: Record<string, unknown>,
  before?: Record<string, unknown>,
): FieldChange => ({
  ...articles(after, before),
  stack: "services",
});
