import { z } from "zod";
import { isAddress } from "../cidr.ts";

/** A host name as routes and listeners have it: in lower case, `*.` before it for all below it. */
export const routeHostname = z
  .string()
  .max(253, "longer than a host name can be; write at most 253 characters")
  .regex(
    /^(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/,
    "not a host name; write one in lower case, such as shop.example.no or *.example.no, with at most 63 characters between dots",
  )
  .refine((text) => !isAddress(text), "an address; the Gateway API takes host names alone");
