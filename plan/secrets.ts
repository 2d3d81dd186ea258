/** What a secret of a cluster looks like, wherever it is. */
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
  ["a login in an address", /\b[a-z][a-z0-9+.-]*:\/\/[^/?#\s:@]*:[^/?#\s@]+@/i],
  ["a bearer token", /\bbearer\s+[A-Za-z0-9._~+/-]{16,}/i],
  // Of service accounts and of most that sign in by OpenID Connect.
  ["a JSON web token", /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/],
  ["a token of GitHub's", /\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22,})/],
  ["a token of GitLab's", /\bgl(pat|dt|rt|cbt|ptt|agent)-[A-Za-z0-9_-]{20}/],
  ["a token of Pulumi's", /\bpul-[0-9a-f]{40}\b/],
  ["a token of Slack's", /\bxox[abeprs]-[A-Za-z0-9-]{10}/],
  ["a key of AWS's", /\b(AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["a key of age's", /\bAGE-SECRET-KEY-1[A-Z0-9]{58}\b/],
  [
    "credentials of a registry",
    /"auths?"\s*:\s*(\{\s*"[^"]+"\s*:\s*\{\s*"auth"|"[A-Za-z0-9+/=]{8,}")/,
  ],
];

/** What of a secret is in these texts, by what it is; never the secret itself. */
export function leaks(texts: readonly string[]): string[] {
  return canaries
    .filter(([, pattern]) => texts.some((text) => pattern.test(text)))
    .map(([what]) => what);
}
