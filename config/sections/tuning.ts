import { z } from "zod";
import { field } from "../field.ts";
import { hostname } from "../formats.ts";

export const tuning = z.strictObject({
  sysctl: field(
    z
      .record(
        z
          .string()
          .regex(
            /^[a-z0-9_]+(\.[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*)+$/,
            "not a sysctl key; write one in full, such as net.core.somaxconn",
          ),
        z
          .union([z.string(), z.number()], { error: "not a value; write a string or a number" })
          .transform((value) =>
            String(value)
              .replace(/[ \t]+/g, " ")
              .trim(),
          )
          .refine((text) => /^\P{Cc}+$/u.test(text), "not one line; write the value alone"),
      )
      .default({}),
    "live",
    "Further kernel parameters, or other values for those of the plan. Default: none.",
  ),
  ntpServers: field(
    z
      .array(hostname)
      .min(1, "empty; name at least one server")
      .default([
        "ntp.justervesenet.no",
        "ntp2.justervesenet.no",
        "0.no.pool.ntp.org",
        "1.no.pool.ntp.org",
      ]),
    "restart",
    "Time servers, Norwegian by default. A change restarts chrony.",
  ),
});
