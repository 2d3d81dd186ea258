/** What a secret of a cluster looks like, wherever it stands. */
const canaries: [what: string, pattern: RegExp][] = [
  ["a bootstrap token", /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/],
  ["a CA hash to join with", /\bsha256:[0-9a-f]{64}\b/],
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  [
    "a private key in base64",
    /LS0tLS1CRUdJTiB[A-Za-z0-9+/]*FIEtFWS0tLS0t|LS0tLS1CRUdJTi(BFQyBQ|BSU0E|BQUklWQVRF)/,
  ],
  ["a client key", /(client-key-data|clientKeyData)["']?: *["']?[A-Za-z0-9+/=]{20}/],
  ["a secretbox key", /\bsecret: [A-Za-z0-9+/]{43}=/],
  ["a password", /\b(password|passphrase|passwd)["']?\s*[:=]/i],
];

/** What of a secret stands in these texts, by what it is; never the secret itself. */
export function leaks(texts: readonly string[]): string[] {
  return canaries
    .filter(([, pattern]) => texts.some((text) => pattern.test(text)))
    .map(([what]) => what);
}
