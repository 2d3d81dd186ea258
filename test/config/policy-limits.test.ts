import { describe, expect, it } from "vitest";
import { problemsOf, stack } from "../stack.ts";
import { takes } from "./refuses.ts";

const policy = (more: object) => ({
  "policies.networkPolicies": [{ name: "a", namespace: "finance", ...more }],
});
const ports = [{ port: 80 }];
const http = (rule: object) =>
  policy({ ingress: [{ toPorts: [{ ports, rules: { http: [rule] } }] }] });
const selecting = (endpointSelector: object) => policy({ ingress: [], endpointSelector });
const expression = (one: object) => selecting({ matchExpressions: [one] });
const name = (toFQDN: object) => policy({ egress: [{ toFQDNs: [toFQDN] }] });
const many = (count: number) => Array.from({ length: count }, (_, i) => ({ port: i + 1 }));

const labels = "policies.networkPolicies[0].endpointSelector.matchLabels";
const first = "policies.networkPolicies[0].endpointSelector.matchExpressions[0]";
const rules = "policies.networkPolicies[0].ingress[0].toPorts[0].rules";

/** What Cilium's agent does not import, or takes for another policy: pods would stay open. */
const refused: [changes: object, path: string, says: string][] = [
  ...["/v1/[", "/a{1001}", "/(?=x)", "/\\1", "/a**", "/("].map((path): [object, string, string] => [
    http({ path }),
    `${rules}.http[0].path`,
    "RE2: ",
  ]),
  ...["GET(", "*", "+", "\\8"].map((method): [object, string, string] => [
    http({ method }),
    `${rules}.http[0].method`,
    "RE2: ",
  ]),
  ...["*.example.no", "[a"].map((host): [object, string, string] => [
    http({ host }),
    `${rules}.http[0].host`,
    "RE2: ",
  ]),
  [http({ host: "" }), `${rules}.http[0].host`, "matches everything"],
  [http({ path: "/a\nb" }), `${rules}.http[0].path`, "control character"],
  [http({ headers: ["X Region: NO"] }), `${rules}.http[0].headers[0]`, "not a header"],
  [http({ headers: ["X-A: 1\r\nX-B: 2"] }), `${rules}.http[0].headers[0]`, "not a header"],
  ...[{ http: [] }, {}, { dns: [] }].map((empty): [object, string, string] => [
    policy({ egress: [{ toPorts: [{ ports: [{ port: 53 }], rules: empty }] }] }),
    `policies.networkPolicies[0].egress[0].toPorts[0].rules${Object.keys(empty).map((key) => `.${key}`)}`,
    "lets everything through",
  ]),
  [
    policy({ ingress: [{ toPorts: [{ ports: many(41) }] }] }),
    "policies.networkPolicies[0].ingress[0].toPorts[0].ports",
    "more than 40 ports",
  ],
  ...["In", "NotIn"].flatMap((operator): [object, string, string][] => [
    [expression({ key: "app", operator }), `${first}.values`, `empty with ${operator}`],
    [expression({ key: "app", operator, values: [] }), `${first}.values`, "give the values"],
  ]),
  ...["Exists", "DoesNotExist"].map((operator): [object, string, string] => [
    expression({ key: "app", operator, values: ["a"] }),
    `${first}.values`,
    `given with ${operator}`,
  ]),
  [expression({ key: "app", operator: "In", values: ["a b"] }), `${first}.values[0]`, "value"],
  [
    expression({ key: "app", operator: "In", values: ["a".repeat(64)] }),
    `${first}.values[0]`,
    "63 characters",
  ],
  [expression({ key: "a b", operator: "Exists" }), `${first}.key`, "not a label's key"],
  [selecting({ matchLabels: { app: "a".repeat(64) } }), `${labels}.app`, "63 characters"],
  ...["a/b/c", "-a", "a/", "/a", "A.example/b", "k8s:", "a b"].map(
    (key): [object, string, string] => [
      selecting({ matchLabels: { [key]: "x" } }),
      /^[\w-]+$/.test(key) ? `${labels}.${key}` : `${labels}["${key}"]`,
      "not a label's key",
    ],
  ),
  [
    selecting({ matchLabels: { ["a".repeat(64)]: "x" } }),
    `${labels}.${"a".repeat(64)}`,
    "longer than a label's key",
  ],
  ...["a..no", ".no", "", `${"a.".repeat(130)}no`].map((matchName): [object, string, string] => [
    name({ matchName }),
    "policies.networkPolicies[0].egress[0].toFQDNs[0].matchName",
    matchName.length > 255 ? "255 characters" : "not a host name",
  ]),
  ...["a..*", "*..no", "", "*".repeat(256)].map((matchPattern): [object, string, string] => [
    name({ matchPattern }),
    "policies.networkPolicies[0].egress[0].toFQDNs[0].matchPattern",
    matchPattern.length > 255 ? "255 characters" : "not a pattern",
  ]),
  [
    policy({
      egress: [
        {
          toPorts: [
            { ports: [{ port: 53, endPort: 60 }], rules: { dns: [{ matchName: "a.no" }] } },
          ],
        },
      ],
    }),
    "policies.networkPolicies[0].egress[0].toPorts[0].ports",
    "need port 53",
  ],
];

describe("a policy that Cilium's agent would not import", () => {
  it.each(refused.map((one) => [JSON.stringify(one[0]).slice(0, 150), ...one] as const))(
    "%s",
    (_, changes, path, says) => {
      const problems = problemsOf(stack(changes as Record<string, unknown>));
      expect(problems.map((problem) => problem.path)).toEqual([path]);
      expect(`${problems[0]?.why}; ${problems[0]?.fix}`).toContain(says);
    },
  );
});

describe("policies at Cilium's limits", () => {
  takes(
    [
      http({ method: "GET|HEAD", path: "/v[0-9]+/(a|b)/.*", host: "shop\\.example\\.no" }),
      http({ path: "/api/[[:alpha:]]+", headers: ["X-Region: NO", "X-Any"] }),
      policy({ ingress: [{ toPorts: [{ ports: many(40) }] }] }),
      expression({ key: "app", operator: "In", values: ["a".repeat(63), ""] }),
      expression({ key: "k8s:io.kubernetes.pod.namespace", operator: "Exists" }),
      selecting({ matchLabels: { "k8s:app.kubernetes.io/name": "a" } }),
      selecting({ matchLabels: { "reserved:host": "" } }),
      name({ matchName: "api.example.no." }),
      name({ matchPattern: "**.example.no" }),
      name({ matchPattern: "*.*.*-*.example.no" }),
    ].map((changes) => ({ name: JSON.stringify(changes).slice(45, 150), changes })),
  );
});

it("names are held against patterns in linear time, as Cilium reads them", () => {
  const asking = (matchPattern: string, matchName: string) =>
    problemsOf(
      stack(
        policy({
          egress: [
            {
              toEndpoints: [{ matchLabels: { "k8s-app": "kube-dns" } }],
              toPorts: [{ ports: [{ port: 53 }], rules: { dns: [{ matchPattern }] } }],
            },
            { toFQDNs: [{ matchName }] },
          ],
        }),
      ),
    ).length;
  expect(asking(`${"*a".repeat(60)}b`, "a".repeat(200))).toBe(1);
  expect(asking("*.example.no", "a.example.no")).toBe(0);
  expect(asking("*.example.no", "a.b.example.no")).toBe(1);
  expect(asking("**.example.no", "a.b.example.no")).toBe(0);
  expect(asking("**.example.no", "example.no")).toBe(1);
});
