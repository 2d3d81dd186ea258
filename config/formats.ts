import { z } from "zod";
import { canonical, isAddress, isCidr } from "./cidr.ts";

/** RFC 1123 label: what Kubernetes takes as a node's name and a host takes as its name. */
export const dnsLabel = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "not a DNS-1123 label; use lower-case letters, digits and inner hyphens, at most 63",
  );

const label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
const subdomain = new RegExp(`^${label}(\\.${label})*\\.?$`, "i");

/** RFC 1123 subdomain, in lower case and without the dot at its end, or an address in its one spelling. */
export const hostname = z
  .string("not text; write a host name or an address")
  .max(254, "longer than a host name can be; write at most 253 characters")
  .superRefine((text, context) => {
    if (isAddress(text)) return;
    const message = /[[\]]|^[^:]*:\d+$/.test(text)
      ? "has a port or brackets; write the host name or address alone"
      : /^[0-9.]+$|:.*:/.test(text)
        ? "not an IP address; write one such as 10.10.0.11, or a host name"
        : "not a host name or address; write one, with labels of at most 63 letters, digits and inner hyphens";
    if (/^[0-9.]+$/.test(text) || !subdomain.test(text)) {
      context.addIssue({ code: "custom", message });
    }
  })
  .transform((text) => (isAddress(text) ? canonical(text) : text.toLowerCase().replace(/\.$/, "")));

export const address = z
  .string()
  .refine(isAddress, "not an IP address; write one without a prefix, such as 10.10.0.11")
  .transform(canonical);

export const cidr = z
  .string()
  .refine(isCidr, "not a CIDR with zero host bits; write one such as 10.10.0.0/24")
  .transform(canonical);

/** One CIDR for a single-stack cluster, two (IPv4 and IPv6 in either order) for dual stack. */
export const cidrPerFamily = z
  .array(cidr)
  .min(1, "empty; give one CIDR, or two for dual stack")
  .max(2, "too many; give one CIDR, or two for dual stack");

const noUrl = "not an http or https address; write one";

export const url = z
  .string(noUrl)
  // Before it is read as an address: that takes line ends and tabs out in silence.
  .regex(/^[^\s"\\]*$/, "holds white space, a quote or a backslash; write %20, %22 or %5C")
  .pipe(z.url({ protocol: /^https?$/, error: noUrl }))
  .transform((text) => text.replace(/\/+$/, ""));

/** A full OpenPGP v4 fingerprint. */
export const fingerprint = z
  .string()
  .transform((text) => text.replace(/\s/g, "").toUpperCase())
  .refine(
    (text) => /^[0-9A-F]{40}$/.test(text),
    "not a full OpenPGP fingerprint; give all 40 hexadecimal digits (a short key id can be forged)",
  );

/** A user of a node. It is in ssh's arguments, so it may not begin like an option. */
export const user = z
  .string()
  .regex(/^[a-z_][A-Za-z0-9_.-]*$/, "not a user's name; write one such as root");

export const hostKeyPattern =
  /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/]+={0,2}( .*)?$/;

/** Bytes of a public key of each algorithm (RFC 4253, 5656, 8709); RSA's from 2048 bits on. */
const keyBytes: Record<string, [least: number, most: number]> = {
  "ssh-ed25519": [51, 51],
  "ecdsa-sha2-nistp256": [104, 104],
  "ecdsa-sha2-nistp384": [136, 136],
  "ecdsa-sha2-nistp521": [172, 172],
  "ssh-rsa": [279, 4096],
};

/** What is wrong with a key whose body says which algorithm's it is. */
function keyError(text: string): string | undefined {
  const [algorithm = "", body = ""] = text.split(" ");
  const bytes = Buffer.from(body, "base64");
  const named = bytes.length < 4 ? "" : bytes.toString("latin1", 4, 4 + bytes.readUInt32BE(0));
  const [least, most] = keyBytes[named] ?? [0, 0];
  if (named !== algorithm) {
    return named in keyBytes
      ? `begins with ${algorithm} and is a key of ${named}; copy the line as it is`
      : `begins with ${algorithm}, and no key follows; copy the whole line, as the machine has it`;
  }
  if (bytes.length >= least && bytes.length <= most) return undefined;
  return `${bytes.length} bytes long, and a key of ${named} has ${least === most ? least : `${least} or more`}; copy the whole line`;
}

/** A public host key as /etc/ssh/ssh_host_ed25519_key.pub has it, without the comment. */
export const hostKey = z
  .string()
  .trim()
  .regex(
    hostKeyPattern,
    "not a public host key; copy it from the provider's console: cat /etc/ssh/ssh_host_ed25519_key.pub",
  )
  .superRefine((text, context) => {
    const message = hostKeyPattern.test(text) ? keyError(text) : undefined;
    if (message !== undefined) context.addIssue({ code: "custom", message });
  })
  .transform((text) => text.split(" ").slice(0, 2).join(" "));

const notExact = "not an exact version; write major.minor.patch, such as 1.36.3";

/** `1.36.3`, never a range: what runs is what was reviewed. */
export const exactVersion = z.string(notExact).regex(/^\d+\.\d+\.\d+$/, notExact);

/** A version as dpkg compares it, such as `2.4.1-1~debian.13~trixie`. */
export const packageVersion = z
  .string()
  .regex(
    /^[A-Za-z0-9.+~:-]+$/,
    "not a package's version; copy it from apt-cache madison <package>",
  );

export const port = z
  .int("not a whole number; write a port")
  .min(1, "no such port; write 1 to 65535")
  .max(65535, "no such port; write 1 to 65535");
