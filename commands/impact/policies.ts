/**
 * What the policy pack refuses, of what `pulumi preview` prints for people: its JSON says only that the
 * preview failed. Each as `policy: resource: message`; what is found in many resources is reported once.
 */
export function refusals(printed: string): string[] {
  const lines = printed.split("\n").map((line) => line.trim());
  const resources = new Map<string, { policy: string; message: string; names: string[] }>();
  for (const [i, line] of lines.entries()) {
    const [, policy, name] =
      line.match(/^- \[mandatory\](?: +\[severity: \w+\])? +(\S+) +\(\S+ (.+)\)$/) ?? [];
    if (policy === undefined || name === undefined) continue;
    // Below it the policy's description, then what it found.
    const message = lines[i + 2] ?? "";
    const known = resources.get(`${policy} ${message}`) ?? { policy, message, names: [] };
    resources.set(`${policy} ${message}`, known);
    known.names.push(name);
  }
  return [...resources.values()].map(({ policy, message, names: [first, ...others] }) => {
    const more = others.length > 0 ? ` and ${others.length} more` : "";
    return `${policy}: ${first}${more}: ${message}`;
  });
}
