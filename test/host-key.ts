import { createHash } from "node:crypto";

/** A public key as sshd writes it, of the right form and length, and nobody's: one for each name. */
export function hostKey(name: string | number): string {
  const algorithm = "ssh-ed25519";
  const part = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  };
  const body = createHash("sha256").update(String(name)).digest();
  const key = Buffer.concat([...part(Buffer.from(algorithm)), ...part(body)]);
  return `${algorithm} ${key.toString("base64")}`;
}
