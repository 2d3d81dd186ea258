import type { Config } from "../config.ts";
import { re2Matches } from "../re2.ts";
import type { Rule } from "../rule.ts";

/** Rules of DNS that a policy brings itself: they must let its own names through, to whoever answers. */
export const ownDnsRules: Rule = function* ({ cilium, policies }) {
  for (const [i, { namespace, egress = [] }] of policies.networkPolicies.entries()) {
    const asking = [...egress.entries()].filter(([, rule]) => dnsOf(rule).length > 0);
    if (asking.length === 0) continue;
    for (const [r, rule] of asking) {
      const servers = (rule.toEndpoints ?? []).flatMap((one) =>
        Object.values(one.matchLabels ?? {}),
      );
      if (!cilium.nodeLocalDns.enabled || !rule.toEndpoints) continue;
      if (servers.includes("node-local-dns")) continue;
      yield {
        path: `policies.networkPolicies[${i}].egress[${r}].toEndpoints`,
        value: rule.toEndpoints,
        why: "cilium.nodeLocalDns answers in kube-dns' place: questions to it would be dropped",
        fix: "add k8s-app: node-local-dns of kube-system, or leave the rule for DNS to the program",
      };
    }
    if (policies.defaultDeny.includes(namespace)) continue;
    const asked = asking.flatMap(([, rule]) => dnsOf(rule));
    for (const [r, { toFQDNs = [] }] of egress.entries()) {
      for (const [f, fqdn] of toFQDNs.entries()) {
        if (asked.some((one) => covers(one, fqdn))) continue;
        yield {
          path: `policies.networkPolicies[${i}].egress[${r}].toFQDNs[${f}]`,
          value: fqdn.matchName ?? fqdn.matchPattern,
          why: "the policy's own rules for DNS do not let pods ask for it: it is never learned",
          fix: "add it to rules.dns, or leave those to the program",
        };
      }
    }
  }
};

type Policy = Config["policies"]["networkPolicies"][number];
type ToPorts = NonNullable<NonNullable<Policy["egress"]>[number]["toPorts"]>[number];
type Fqdn = { matchName?: string | undefined; matchPattern?: string | undefined };

function dnsOf({ toPorts = [] }: { toPorts?: ToPorts[] | undefined }): Fqdn[] {
  return toPorts.flatMap(({ rules }) => rules?.dns ?? []);
}

function covers({ matchName, matchPattern }: Fqdn, fqdn: Fqdn): boolean {
  if (/^\*+$/.test(matchPattern ?? "")) return true;
  if (matchName !== undefined) return matchName === fqdn.matchName;
  if (fqdn.matchName === undefined) return matchPattern === fqdn.matchPattern;
  return re2Matches(expressionOf(matchPattern ?? ""), fqdn.matchName);
}

/** As Cilium reads a pattern: `*` is part of one label, `**.` at the beginning one label or more. */
function expressionOf(pattern: string): string {
  const one = "[-a-z0-9_]";
  const manyFirst = /^\*{2,}\./;
  const rest = pattern.replace(manyFirst, "").replaceAll(".", "[.]").replace(/\*+/g, `${one}*`);
  return manyFirst.test(pattern) ? `${one}+([.]${one}+)*[.]${rest}` : rest;
}
