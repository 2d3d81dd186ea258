import { expect, it } from "vitest";
import { auditPolicy } from "../../plan/api-server/audit-policy.ts";

interface Request {
  user: string;
  groups?: string[];
  verb: string;
  group?: string;
  resource: string;
}

/** The level of the first rule that takes the request, as the API server decides. */
function levelOf({ user, groups = [], verb, group = "", resource }: Request): string {
  const rule = auditPolicy.rules.find((rule) => {
    const { users, userGroups, verbs, resources, nonResourceURLs } = rule as {
      users?: string[];
      userGroups?: string[];
      verbs?: string[];
      resources?: { group: string; resources: string[] }[];
      nonResourceURLs?: string[];
    };
    if (nonResourceURLs) return false;
    const who = users?.includes(user) ?? userGroups?.some((one) => groups.includes(one)) ?? true;
    const what =
      resources?.some((one) => one.group === group && one.resources.includes(resource)) ?? true;
    return who && what && (verbs?.includes(verb) ?? true);
  });
  return rule?.level ?? "None";
}

const node = { user: "system:node:worker-1", groups: ["system:nodes"] };
const controllers = { user: "system:kube-controller-manager" };

it.each<[string, Request, string]>([
  ["a node reads a Secret", { ...node, verb: "get", resource: "secrets" }, "Metadata"],
  ["a node lists Secrets", { ...node, verb: "list", resource: "secrets" }, "Metadata"],
  ["a controller lists Secrets", { ...controllers, verb: "list", resource: "secrets" }, "Metadata"],
  ["a person writes a Secret", { user: "eve", verb: "update", resource: "secrets" }, "Metadata"],
  ["a token is made", { ...node, verb: "create", resource: "serviceaccounts/token" }, "Metadata"],
  ["a node watches pods", { ...node, verb: "watch", resource: "pods" }, "None"],
  ["a controller reads pods", { ...controllers, verb: "get", resource: "pods" }, "None"],
  ["a person makes a pod", { user: "eve", verb: "create", resource: "pods" }, "Request"],
  ["a person reads pods", { user: "eve", verb: "get", resource: "pods" }, "Metadata"],
])("the audit log when %s: %s", (_, request, level) => {
  expect(levelOf(request)).toBe(level);
});
