import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { z } from "zod";
import type { Values } from "../values.ts";
import type { Provider } from "./provider.ts";

type Make = (inputs: Values) => { id: string; outputs: Values };

/** `random:*`: made once, kept in the state, made anew when any input changes. */
export function randomProvider(type: string): Provider | undefined {
  const make = makers[type];
  if (!make) return undefined;
  return {
    replaces: () => true,
    create: async (inputs) => make(inputs),
    update: async (old) => old.outputs,
    delete: async () => {},
  };
}

const makers: Record<string, Make> = {
  "random:index/randomId:RandomId": makeId,
  "random:index/randomUuid:RandomUuid": makeUuid,
  "random:index/randomBytes:RandomBytes": makeBytes,
  "random:index/randomPassword:RandomPassword": makePassword,
  "random:index/randomString:RandomString": makePassword,
};

const keepers = z.record(z.string(), z.string()).optional();

const IdInputs = z.strictObject({
  keepers,
  byteLength: z.number().int(),
  prefix: z.string().default(""),
});

function makeId(values: Values) {
  const { byteLength, prefix } = IdInputs.parse(values);
  const bytes = randomBytes(byteLength);
  const hex = bytes.toString("hex");
  const id = bytes.toString("base64url");
  const outputs = {
    b64Std: prefix + bytes.toString("base64"),
    b64Url: prefix + id,
    dec: prefix + BigInt(`0x${hex}`).toString(),
    hex: prefix + hex,
  };
  return { id, outputs };
}

function makeUuid(values: Values) {
  z.strictObject({ keepers }).parse(values);
  const id = randomUUID();
  return { id, outputs: { result: id } };
}

function makeBytes(values: Values) {
  const { length } = z.strictObject({ keepers, length: z.number().int() }).parse(values);
  const bytes = randomBytes(length);
  return { id: "none", outputs: { base64: bytes.toString("base64"), hex: bytes.toString("hex") } };
}

const PasswordInputs = z.strictObject({
  keepers,
  length: z.number().int(),
  lower: z.boolean().default(true),
  upper: z.boolean().default(true),
  numeric: z.boolean().default(true),
  special: z.boolean().default(true),
  minLower: z.number().int().default(0),
  minUpper: z.number().int().default(0),
  minNumeric: z.number().int().default(0),
  minSpecial: z.number().int().default(0),
  overrideSpecial: z.string().default("!@#$%&*()-_=+[]{}<>:?"),
});

/** Without `bcryptHash`, which nothing here uses. */
function makePassword(values: Values) {
  const wanted = PasswordInputs.parse(values);
  const sets = [
    { use: wanted.lower, least: wanted.minLower, letters: "abcdefghijklmnopqrstuvwxyz" },
    { use: wanted.upper, least: wanted.minUpper, letters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
    { use: wanted.numeric, least: wanted.minNumeric, letters: "0123456789" },
    { use: wanted.special, least: wanted.minSpecial, letters: wanted.overrideSpecial },
  ].filter(({ use }) => use);
  const chosen = sets.flatMap(({ least, letters }) => pick(letters, least));
  const all = sets.map(({ letters }) => letters).join("");
  const result = shuffle([...chosen, ...pick(all, wanted.length - chosen.length)]).join("");
  return { id: "none", outputs: { result } };
}

function pick(letters: string, count: number): string[] {
  return Array.from({ length: count }, () => letters.charAt(randomInt(letters.length)));
}

function shuffle(letters: string[]): string[] {
  const rest = [...letters];
  return letters.map(() => rest.splice(randomInt(rest.length), 1)[0] ?? "");
}
