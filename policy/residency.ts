import type { ResourceValidationPolicy } from "@pulumi/policy";
import { Config } from "@pulumi/pulumi";
import { allows, canonicalPlace, isOutside, placeOfUrl, registryOf } from "../config/residency.ts";
import { known, textsOf, textsUnder } from "./texts.ts";

/** Every host name, public address and range that a resource names is in the stack's allow-list. */
export const residencyPolicy: ResourceValidationPolicy = {
  name: "residency",
  description: "Every address that a resource names is in the stack's cluster.allowedPlaces.",
  remediationSteps:
    "Take a mirror of your own, or add the address to cluster.allowedPlaces if it is in the residency.",
  severity: "high",
  validateResource: ({ type, props, notApplicable }, report) => {
    // The list of what is in cluster.residency, in the stack's own file.
    const list = new Config("oslo-cluster").getObject<{ allowedPlaces?: string[] }>(
      "cluster",
    )?.allowedPlaces;
    if (list === undefined) notApplicable("the stack's file has no cluster.allowedPlaces");
    // Their texts are the Gateway API's own, with links to its documentation.
    if (type.endsWith(":CustomResourceDefinition")) return;
    for (const place of addressesOf(props)) {
      if (list?.some((entry) => allows(entry, place))) continue;
      report(`${place} is not in cluster.allowedPlaces`);
    }
  },
};

/** Host names that are reached, and addresses and ranges that are not private. */
export function addressesOf(props: Record<string, unknown>): string[] {
  // Comments of scripts name sources and reach nothing.
  const texts = textsOf(props).map((text) => text.replace(/^\s*#.*$/gm, ""));
  const found = texts.flatMap((text) => [
    ...hosts(text, /\b((?:https?|oci|git|ssh):\/\/[^\s"'`<>|\\]+)/gi).flatMap(
      // What the parser refuses is reported as it is.
      (url) => placeOfUrl(url) ?? url.toLowerCase(),
    ),
    ...hosts(text, /\bKnownHostsCommand=\/bin\/echo \[?([\w.:-]+?)\]?(?::\d+)? (?:ssh|ecdsa|sk)-/g),
    ...unmirrored(text),
    ...hosts(text, /^\s*(?:server|pool|peer) ([\w.:-]+)/gm),
    ...hosts(text, /(?<![\w.:-])((?:\d{1,3}\.){3}\d{1,3}(?:\/\d{1,2})?)(?![\w.-])/g),
    ...hosts(
      text,
      /(?<![\w.:])([0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:(?:\d{1,3}\.){3}\d{1,3})?(?:\/\d{1,3})?)(?![\w.:])/gi,
    ),
  ]);
  const named = [
    ...connectionHosts(props),
    ...imageRegistries(props),
    ...calledNames(props),
    ...everywhere(props),
  ];
  // A route to everywhere is none to somewhere; policies' own ranges are among the named.
  const places = [...found.filter((range) => !range.endsWith("/0")), ...named].map(canonicalPlace);
  return [...new Set(places)].filter(isOutside).sort();
}

/** Where kubeadm's and Cilium's images come from. */
const registries = ["registry.k8s.io", "quay.io"];

/** Of containerd's document: the registries that have no mirror. */
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
  return imagesOf(props)
    .map(registryOf)
    .filter((registry) => !registries.includes(registry));
}

/** References of images: `image: a/b:1`, or in a chart's values `image: {repository: a/b, tag: …}`. */
function imagesOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const map = value as Record<string, unknown>;
  return Object.keys(map).flatMap((key) => {
    const item = known(() => map[key]);
    if (key !== "image") return imagesOf(item);
    if (typeof item === "string") return [item];
    return known(() => (item as { repository?: string }).repository) ?? [];
  });
}

/** Of a network policy: names that pods may call, patterns, and ranges. */
function calledNames(props: Record<string, unknown>): string[] {
  return ["toFQDNs", "toCIDR", "toCIDRSet"].flatMap((key) => textsUnder(props, key));
}

/** Of a network policy: any address, by an entity, or by ports alone. */
function everywhere(props: Record<string, unknown>): string[] {
  const entities = textsUnder(props, "toEntities");
  const isAny =
    entities.some((entity) => /^(all|world)/.test(entity)) || egressRules(props).some(hasNoPeer);
  return isAny ? ["0.0.0.0/0", "::/0"] : [];
}

function egressRules(value: unknown): object[] {
  if (typeof value !== "object" || value === null) return [];
  const map = value as Record<string, unknown>;
  return Object.keys(map).flatMap((key) => {
    const item = known(() => map[key]);
    return key === "egress" && Array.isArray(item) ? (item as object[]) : egressRules(item);
  });
}

/** Ports without a peer are those of every address. An empty rule of Cilium's lets nothing through. */
function hasNoPeer(rule: object): boolean {
  const keys = Object.keys(rule);
  const ofKubernetes = keys.includes("ports") && !keys.includes("to");
  return ofKubernetes || (keys.includes("toPorts") && keys.every((key) => key === "toPorts"));
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
