import { z } from "zod";

/** A label's value as Kubernetes takes it: at most 63 characters, none is well. */
export const labelValue = z
  .string("not text; write the label's value in quotes")
  .max(63, "longer than a label's value may be; write at most 63 characters")
  .regex(/^([A-Za-z0-9]([\w.-]*[A-Za-z0-9])?)?$/, "not a label's value; write one such as shop");

const keyForm =
  /^([a-z][a-z0-9-]*:)?([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\/)?[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?$/;

/** A label's key, with the source that Cilium may have before it: `k8s:io.kubernetes.pod.namespace`. */
const key = z
  .string("not text; write the label's key in quotes")
  .max(320, "longer than a label's key may be; write at most 253 characters, /, and 63")
  .regex(keyForm, "not a label's key; write one such as app or k8s:k8s-app")
  .refine((text) => {
    const [name = "", prefix = ""] = text
      .replace(/^[a-z][a-z0-9-]*:/, "")
      .split("/")
      .reverse();
    return name.length <= 63 && prefix.length <= 253;
  }, "longer than a label's key may be; write at most 253 characters, /, and 63");

const labels = z
  .record(key, labelValue)
  // The order of a map is the file's or Pulumi's own: the plan must not depend on it.
  .transform((map) => Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))));

const expression = z
  .strictObject({
    key,
    operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"], {
      error: "not an operator; write In, NotIn, Exists or DoesNotExist",
    }),
    values: z.array(labelValue).optional(),
  })
  // Cilium does not import a policy with another pair, and the pods that it is about stay open.
  .superRefine(({ operator, values = [] }, context) => {
    const takesValues = operator === "In" || operator === "NotIn";
    if (takesValues === values.length > 0) return;
    const message = takesValues
      ? `empty with ${operator}; give the values`
      : `given with ${operator}; remove them`;
    context.addIssue({ code: "custom", path: ["values"], message });
  });

/** A selector of labels as Kubernetes writes it. An empty one selects everything. */
export const selector = z
  .strictObject({
    matchLabels: labels.optional(),
    matchExpressions: z.array(expression).optional(),
  })
  .meta({ title: "label selector" });

export type Selector = z.output<typeof selector>;
