const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/** Whether age encrypts to it: an X25519 recipient whose checksum holds (BIP 173), or an SSH public key. */
export function isAgeRecipient(text: string): boolean {
  if (/^(ssh-ed25519|ssh-rsa) [A-Za-z0-9+/]{40,}={0,2}( .*)?$/.test(text)) return true;
  const [, data] = text.match(/^age1([02-9ac-hj-np-z]{58})$/) ?? [];
  if (data === undefined) return false;
  const values = [...data].map((letter) => alphabet.indexOf(letter));
  return polymod([...expanded("age"), ...values]) === 1;
}

function expanded(prefix: string): number[] {
  const codes = [...prefix].map((letter) => letter.charCodeAt(0));
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
}

function polymod(values: readonly number[]): number {
  const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
  return values.reduce((checksum, value) => {
    const top = checksum >>> 25;
    const next = ((checksum & 0x1ffffff) << 5) ^ value;
    return generator.reduce((sum, part, bit) => ((top >> bit) & 1 ? sum ^ part : sum), next);
  }, 1);
}
