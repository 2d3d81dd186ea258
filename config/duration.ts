import { z } from "zod";

const pattern = /^[1-9]\d{0,6}[hm]$/;

/** A whole number of hours or minutes, `8760h` or `90m`: as Go, and so Kubernetes, reads it. */
export const duration = z
  .string("not text; write a number of hours or minutes, such as 1440h or 90m")
  .regex(pattern, "not a number of hours or minutes; write one such as 1440h or 90m");

/** Not a number for a text that `duration` does not take. */
export function minutesOf(text: string): number {
  if (!pattern.test(text)) return Number.NaN;
  return Number.parseInt(text, 10) * (text.endsWith("h") ? 60 : 1);
}
