import { z } from "zod";
import type { Impact } from "../../config/field.ts";
import * as formats from "../../config/formats.ts";
import { schema } from "../../config/schema.ts";
import { routeHostname } from "../../config/sections/route-hostname.ts";
import { project } from "../../config/stack-file.ts";

/** A field or section as zod's own JSON schema has it, with what `field` adds. */
export interface JsonSchema {
  type?: string | string[];
  title?: string;
  description?: string;
  impact?: Impact;
  default?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  additionalProperties?: JsonSchema | false;
}

/** What a person calls the formats; those without a name here are strings. */
const formatNames = new Map<unknown, string>([
  [formats.dnsLabel, "DNS label"],
  [formats.hostname, "host name or address"],
  [routeHostname, "host name"],
  [formats.address, "IP address"],
  [formats.cidr, "CIDR"],
  [formats.url, "URL"],
  [formats.fingerprint, "fingerprint"],
  [formats.user, "user name"],
  [formats.hostKey, "public key"],
  [formats.exactVersion, "version"],
  [formats.packageVersion, "package version"],
]);

const urlPattern = '^[Hh][Tt][Tt][Pp][Ss]?:[^\\s"\\\\]+$';

/** The configuration's schema, as far as JSON schema (draft 7, which editors read) can say it. */
export function configurationSchema(): JsonSchema {
  return z.toJSONSchema(schema, {
    io: "input",
    target: "draft-7",
    override({ zodSchema, jsonSchema }) {
      const name = formatName(zodSchema);
      if (name !== undefined) jsonSchema.title = name;
      // Of what is read in two passes, zod says the first alone.
      if (name === "URL") jsonSchema.pattern = urlPattern;
      // zod leaves out a default that is behind a transformation.
      if (zodSchema._zod.def.type === "default") {
        jsonSchema.default = (zodSchema._zod.def as z.core.$ZodDefaultDef).defaultValue;
      }
    },
  }) as JsonSchema;
}

/** A format that was refined or described has the format itself as its parent. */
function formatName(zodSchema: z.core.$ZodType | undefined): string | undefined {
  if (zodSchema === undefined) return undefined;
  return formatNames.get(zodSchema) ?? formatName(zodSchema._zod.parent);
}

/** Pulumi's own fields of a stack's file. Source: workspace.ProjectStack of its SDK for Go. */
const pulumiFields = {
  secretsprovider: "What encrypts the stack's secrets; a passphrase where it is not given.",
  encryptedkey: "The key of the secrets, encrypted by that provider. Pulumi writes it.",
  encryptionsalt: "The salt of the stack's passphrase. Pulumi writes it; keep it in git.",
};

/** The schema of a stack's file, which editors complete from and check against. Pure. */
export function stackFileSchema(): object {
  const { properties = {}, required = [] } = configurationSchema();
  const sections = Object.entries(properties).map(([name, section]) => [name, shown(section)]);
  const key = (name: string) => `${project}:${name}`;
  // Pulumi's other spellings of the same keys: without the project, and with config:, the older one.
  const other = (name: string) => `^(${project}:config:)?${name}$`;
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A stack of oslo-cluster: Pulumi.STACK.yaml",
    type: "object",
    properties: {
      config: {
        description: `Sections of the cluster, ${project}:SECTION; keys of providers are theirs.`,
        type: "object",
        properties: Object.fromEntries(
          sections.map(([name]) => [key(name as string), { $ref: `#/definitions/${name}` }]),
        ),
        patternProperties: {
          ...Object.fromEntries(
            sections.map(([name]) => [other(name as string), { $ref: `#/definitions/${name}` }]),
          ),
          // Of other projects and of providers.
          [`^(?!${project}:)[^:]+:`]: {},
        },
        additionalProperties: false,
        allOf: required.map((name) => ({
          anyOf: [key(name), name, `${project}:config:${name}`].map((one) => ({ required: [one] })),
        })),
      },
      ...Object.fromEntries(
        Object.entries(pulumiFields).map(([name, description]) => [
          name,
          { type: "string", description },
        ]),
      ),
      environment: {
        description: "Environments of Pulumi ESC whose values the stack gets.",
        type: ["array", "object"],
      },
    },
    required: ["config"],
    additionalProperties: false,
    definitions: Object.fromEntries(sections),
  };
}

/** With what an editor shows over a field: what it is, and what changing it does to a living cluster. */
function shown(field: JsonSchema): object {
  const { impact, properties, items, additionalProperties, ...own } = field;
  const change = impact === undefined ? [] : [`A change on a living cluster: ${impact}.`];
  const description = [own.description, ...change].filter(Boolean).join(" ");
  return {
    ...own,
    ...(description ? { description } : {}),
    ...(properties
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, one]) => [name, shown(one)]),
          ),
        }
      : {}),
    ...(items ? { items: shown(items) } : {}),
    ...(additionalProperties === undefined
      ? {}
      : { additionalProperties: additionalProperties && shown(additionalProperties) }),
  };
}
