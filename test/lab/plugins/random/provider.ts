import { randomInt } from "node:crypto";
import { z } from "zod";
import { failuresOf } from "../protocol/inputs.ts";
import type { Provider, Resource } from "../protocol/provider.ts";
import { differences, open, unknown, type Values } from "../protocol/values.ts";
import { versionOf } from "../protocol/version.ts";

// @pulumi/random: what its RandomPet does at version 4.21.2.

const inputs = z.strictObject({
  length: z.int().min(1).default(2),
  separator: z.string().default("-"),
  prefix: z.string().optional(),
  keepers: z.record(z.string(), z.string()).optional(),
});

const [adjectives, names] = [
  ["brave", "calm", "clear", "eager", "fair", "keen", "light", "quiet", "swift", "warm"],
  ["hare", "crane", "eider", "fox", "heron", "lynx", "marten", "otter", "puffin", "seal"],
];

const pet: Resource = {
  check: (given) => ({
    inputs: { length: 2, separator: "-", ...given },
    failures: failuresOf(inputs, given),
  }),
  // Every input makes another one.
  diff: (old, given) =>
    [...differences(old, given)].map(([path, kind]) => ({ path, kind, replaces: true })),
  foresee: (given, _, old) => old ?? { id: unknown, outputs: { ...given, id: unknown } },
  create: async (given) => {
    const id = wordsOf(given);
    return { id, outputs: { ...given, id } };
  },
  update: async () => {
    throw new Error("a pet is replaced, and not updated");
  },
  delete: async () => {},
};

function wordsOf(given: Values): string {
  const { length, separator, prefix } = inputs.parse(open(given));
  const one = (list: readonly string[] = []) => list[randomInt(list.length)] as string;
  const words = Array.from({ length }, (_, i) => one(i === length - 1 ? names : adjectives));
  return [...(prefix === undefined ? [] : [prefix]), ...words].join(separator);
}

const type = "random:index/randomPet:RandomPet";

export const randomProvider: Provider = {
  version: versionOf("@pulumi/random"),
  diffConfig: () => [],
  resource: (asked) => {
    if (asked === type) return pet;
    throw new Error(`${asked}: the lab's plugin has ${type} alone`);
  },
};
