import { z } from "zod";

const labels = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9][\w./:-]*$/, "not a label's key; write one such as app or k8s:k8s-app"),
    z
      .string("not text; write the label's value in quotes")
      .regex(
        /^([A-Za-z0-9]([\w.-]*[A-Za-z0-9])?)?$/,
        "not a label's value; write one such as shop",
      ),
  )
  // The order of a map is the file's or Pulumi's own: the plan must not depend on it.
  .transform((map) => Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))));

const expression = z.strictObject({
  key: z.string().min(1, "empty; name a label's key"),
  operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"], {
    error: "not an operator; write In, NotIn, Exists or DoesNotExist",
  }),
  values: z.array(z.string()).optional(),
});

/** A selector of labels as Kubernetes writes it. An empty one selects everything. */
export const selector = z
  .strictObject({
    matchLabels: labels.optional(),
    matchExpressions: z.array(expression).optional(),
  })
  .meta({ title: "label selector" });

export type Selector = z.output<typeof selector>;
