import { createHash } from "node:crypto";

/** Who a guest is, before it exists. */
export interface GuestIdentity {
  /** Machine UUID (SMBIOS), RFC 9562 version 5. */
  uuid: string;
  /** Of the guest's NIC, in QEMU's range. */
  mac: string;
}

/** RFC 9562, appendix A: the namespace for names that are URLs. */
const urlNamespace = Buffer.from("6ba7b8119dad11d180b400c04fd430c8", "hex");

/**
 * Derived, not drawn: a lost state finds the same guest again, and a reviewer sees the document as
 * it will be. Another generation is another machine.
 */
export function guestIdentity(cluster: string, node: string, generation: number): GuestIdentity {
  const name = `oslo-cluster:${cluster}/${node}/${generation}`;
  const bytes = createHash("sha1").update(urlNamespace).update(name).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  const uuid = [8, 4, 4, 4, 12].reduce<{ at: number; parts: string[] }>(
    ({ at, parts }, length) => ({
      at: at + length,
      parts: [...parts, hex.slice(at, at + length)],
    }),
    { at: 0, parts: [] },
  );
  const last = createHash("sha256").update(name).digest("hex").slice(0, 6);
  return {
    uuid: uuid.parts.join("-"),
    mac: ["52", "54", "00", ...(last.match(/../g) as string[])].join(":"),
  };
}
