import type { ResourceValidationPolicy } from "@pulumi/policy";
import { Address4, Address6 } from "ip-address";
import { known, textsOf, textsUnder } from "./texts.ts";

interface ResidencyConfig {
  /** Norway alone, or the whole EEA. */
  residency: "NO" | "EEA";
  /** Where each may be: host names, `*.` and a domain, or CIDRs. */
  allow: { NO?: string[]; EEA?: string[] };
}

/** Every host name and public address that a resource names stands in the allow-list. */
export const residencyPolicy: ResourceValidationPolicy = {
  name: "residency",
  description: "Every address that a resource names is in the allow-list of its residency.",
  remediationSteps: "Take a mirror of your own, or add the address to the policy's allow-list.",
  severity: "high",
  configSchema: {
    properties: {
      residency: { type: "string", enum: ["NO", "EEA"], default: "NO" },
      allow: {
        type: "object",
        properties: {
          NO: { type: "array", items: { type: "string" } },
          EEA: { type: "array", items: { type: "string" } },
        },
      },
    },
  },
  validateResource: ({ type, props, getConfig, notApplicable }, report) => {
    const { residency = "NO", allow } = getConfig<Partial<ResidencyConfig>>();
    if (allow === undefined) notApplicable("no allow-list is configured");
    // Their texts are the Gateway API's own, with links to its documentation.
    if (type.endsWith(":CustomResourceDefinition")) return;
    const entries = [...(allow?.NO ?? []), ...(residency === "EEA" ? (allow?.EEA ?? []) : [])];
    for (const address of addressesOf(props)) {
      if (entries.some((entry) => covers(entry, address))) continue;
      report(`${address} is not in the allow-list of residency ${residency}`);
    }
  },
};

/** Host names that are reached, and IP addresses that are not private. */
export function addressesOf(props: Record<string, unknown>): string[] {
  // Comments of scripts name sources and reach nothing.
  const texts = textsOf(props).map((text) => text.replace(/^\s*#.*$/gm, ""));
  const found = texts.flatMap((text) => [
    ...hosts(text, /\b(?:https?|oci|git|ssh):\/\/(?:[^@/\s]+@)?(\[[0-9a-f:.]+\]|[\w.-]+)/gi),
    ...hosts(text, /\bKnownHostsCommand=\/bin\/echo \[?([\w.:-]+?)\]?(?::\d+)? (?:ssh|ecdsa|sk)-/g),
    ...unmirrored(text),
    ...hosts(text, /^\s*(?:server|pool|peer) ([\w.:-]+)/gm),
    ...hosts(text, /(?<![\w.:-])((?:\d{1,3}\.){3}\d{1,3})(?![\w.-])/g),
    ...hosts(text, /(?<![\w.:])([0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(?![\w.:])/gi),
  ]);
  const named = [...connectionHosts(props), ...imageRegistries(props), ...calledNames(props)];
  const reached = [...found, ...named].map((host) => host.replace(/^\[|\]$/g, ""));
  return [...new Set(reached)].filter((host) => isName(host) || isPublic(host)).sort();
}

/** Where kubeadm's and Cilium's images come from. */
const registries = ["registry.k8s.io", "quay.io"];

/** Of containerd's document: the registries that no mirror stands for. */
function unmirrored(text: string): string[] {
  if (!/^step: containerd$/m.test(text)) return [];
  return registries.filter(
    (name) => !text.includes(`/etc/containerd/certs.d/${name}/hosts.toml: `),
  );
}

function hosts(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, host]) => host as string);
}

/** Of a workload: where its images come from. Containerd's document answers for the registries above. */
function imageRegistries(props: Record<string, unknown>): string[] {
  return textsUnder(props, "image")
    .flatMap((image) => image.match(/^([\w-]+(?:\.[\w-]+)+)(?::\d+)?\//)?.[1] ?? [])
    .filter((registry) => !registries.includes(registry));
}

/** Of a network policy: names that pods may call, and patterns. */
function calledNames(props: Record<string, unknown>): string[] {
  return textsUnder(props, "toFQDNs");
}

/** Of the machine and of the bastion before it. */
function connectionHosts(props: Record<string, unknown>): string[] {
  const connection = known(() => props.connection) as Connection | undefined;
  return [known(() => connection?.host), known(() => connection?.proxy?.host)].filter(
    (host) => host !== undefined,
  );
}

interface Connection {
  host?: string;
  proxy?: { host?: string };
}

/** A name that can be looked up; `localhost` and names without a dot stay on the machine or the VLAN. */
function isName(host: string): boolean {
  // A policy's pattern may stand for any name.
  if (host.includes("*")) return true;
  return /^(?=.*[a-z])[\w-]+(\.[\w-]+)+$/i.test(host) && !host.endsWith(".local");
}

const own = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "0.0.0.0/8",
  "224.0.0.0/3",
];
const own6 = ["fc00::/7", "fe80::/10", "ff00::/8", "::/127"];

function isPublic(host: string): boolean {
  if (Address4.isValid(host)) {
    return !own.some((range) => new Address4(host).isInSubnet(new Address4(range)));
  }
  return (
    Address6.isValid(host) &&
    !own6.some((range) => new Address6(host).isInSubnet(new Address6(range)))
  );
}

function covers(entry: string, address: string): boolean {
  if (entry.startsWith("*.")) return address.endsWith(entry.slice(1));
  if (Address4.isValid(entry) && Address4.isValid(address))
    return new Address4(address).isInSubnet(new Address4(entry));
  if (Address6.isValid(entry) && Address6.isValid(address))
    return new Address6(address).isInSubnet(new Address6(entry));
  return entry.toLowerCase() === address.toLowerCase();
}
