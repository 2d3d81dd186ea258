import {
  allows,
  canonicalPlace,
  isAddressOrRange,
  isOutside,
  placeOfUrl,
  registryOf,
} from "../residency.ts";
import type { Rule } from "../rule.ts";

/** Every address that the file names is in the allow-list of its residency, where it has one. */
export const addressesInResidency: Rule = function* (config) {
  const list = config.cluster.allowedPlaces;
  if (list === undefined) return;
  const { nodes, ...rest } = config;
  const named = [
    ...placesOf(rest, "", ""),
    ...nodes.flatMap((node) => [...placesOf(node.ssh, `nodes (${node.name}).ssh`, "ssh")]),
  ];
  for (const { path, value, place } of named) {
    if (!isOutside(place) || list.some((entry) => allows(entry, place))) continue;
    yield {
      path,
      value,
      why: `${place} is not in cluster.allowedPlaces, which says what is in ${config.cluster.residency}`,
      fix: "name a place that is in the list, or add this one if it is in the residency",
    };
  }
};

interface Named {
  path: string;
  value: string;
  place: string;
}

/** Keys whose texts are host names, and not names of things. */
const hostKeys = ["host", "servers", "ntpServers", "nameservers", "matchName", "matchPattern"];
/** What is asked from outside, or is only a range of the cluster's own. */
const notReached = ["allowedPlaces", "hostnames", "dns", "ingress", "ingressDeny", "egressDeny"];

/** Every place that something is fetched from or sent to. `key` is the nearest name above a list. */
function* placesOf(value: unknown, path: string, key: string): Generator<Named> {
  if (typeof value === "string") {
    const place = placeOf(value, key);
    if (place !== undefined) yield { path, value, place };
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* placesOf(item, `${path}[${index}]`, key);
  } else if (typeof value === "object" && value !== null) {
    for (const [name, item] of Object.entries(value))
      if (!notReached.includes(name)) yield* placesOf(item, path ? `${path}.${name}` : name, name);
  }
}

function placeOf(value: string, key: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return placeOfUrl(value);
  if (key === "image") return registryOf(value);
  if (key === "toEntities") return /^(all|world)/.test(value) ? "0.0.0.0/0" : undefined;
  if (hostKeys.includes(key) || isAddressOrRange(value)) return canonicalPlace(value);
  return undefined;
}
