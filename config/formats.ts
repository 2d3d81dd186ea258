import { z } from "zod";
import { isAddress, isCidr } from "./cidr.ts";

/** RFC 1123 label: what Kubernetes takes as a node's name and a host takes as its name. */
export const dnsLabel = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "not a DNS-1123 label; use lower-case letters, digits and inner hyphens, at most 63",
  );

/** RFC 1123 subdomain or an address. */
export const hostname = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/, "not a host name or address; write one");

export const address = z
  .string()
  .refine(isAddress, "not an IP address; write one without a prefix, such as 10.10.0.11");

export const cidr = z
  .string()
  .refine(isCidr, "not a CIDR with zero host bits; write one such as 10.10.0.0/24");

/** One CIDR for a single-stack cluster, two (IPv4 and IPv6 in either order) for dual stack. */
export const cidrPerFamily = z
  .array(cidr)
  .min(1, "empty; give one CIDR, or two for dual stack")
  .max(2, "too many; give one CIDR, or two for dual stack");

export const url = z
  .url({ protocol: /^https?$/, error: "not an http or https address; write one" })
  .transform((text) => text.replace(/\/+$/, ""));

/** A full OpenPGP v4 fingerprint. */
export const fingerprint = z
  .string()
  .transform((text) => text.replace(/\s/g, "").toUpperCase())
  .refine(
    (text) => /^[0-9A-F]{40}$/.test(text),
    "not a full OpenPGP fingerprint; give all 40 hexadecimal digits (a short key id can be forged)",
  );

/** A public host key as /etc/ssh/ssh_host_ed25519_key.pub has it, without the comment. */
export const hostKey = z
  .string()
  .trim()
  .regex(
    /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/]+={0,2}( .*)?$/,
    "not a public host key; copy it from the provider's console: cat /etc/ssh/ssh_host_ed25519_key.pub",
  )
  .transform((text) => text.split(" ").slice(0, 2).join(" "));

/** `1.36.3`, never a range: what runs is what was reviewed. */
export const exactVersion = z
  .string()
  .regex(/^\d+\.\d+\.\d+$/, "not an exact version; write major.minor.patch, such as 1.36.3");

export const port = z
  .int("not a whole number; write a port")
  .min(1, "no such port; write 1 to 65535")
  .max(65535, "no such port; write 1 to 65535");
