import { expect, it } from "vitest";
import type { z } from "zod";
import { schema } from "../../config/schema.ts";
import { fieldsOf } from "./schema-fields.ts";

const impacts = ["live", "restart", "drain", "recreate", "impossible", "none"];
const fields = fieldsOf(schema);

it("the walk finds fields at every depth", () => {
  const paths = fields.map(({ path }) => path);
  expect(paths).toContain("cluster.name");
  expect(paths).toContain("nodes.existing[].ssh.hostKey");
  expect(paths).toContain("gatewayApi.routes[].backends[].weight");
  expect(paths).toContain("ssh.bastion.hostKey");
  expect(paths.length).toBeGreaterThan(60);
});

it.each(fields.filter(({ leaf }) => leaf))("$path says what it is and what a change means", (f) => {
  const meta = (f.type as z.ZodType).meta() as { impact?: string; description?: string };
  expect(impacts).toContain(meta?.impact);
  expect(meta?.description).toMatch(/^\S.{9,}\.$/s);
});
