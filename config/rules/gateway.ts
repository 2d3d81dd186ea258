import { duplicates, type Rule } from "../rule.ts";

/** Weights are percentages, so that a canary of 10 is one request in ten. */
export const weights: Rule = function* ({ gatewayApi }) {
  for (const [i, { backends, name }] of gatewayApi.routes.entries()) {
    const sum = backends.reduce((total, backend) => total + backend.weight, 0);
    if (sum === 100) continue;
    yield {
      path: `gatewayApi.routes[${i}].backends`,
      value: backends.map((b) => `${b.name}=${b.weight}`).join(", "),
      why: `the weights of ${name} add up to ${sum}`,
      fix: "make them add up to 100",
    };
  }
};

/** A route is one object in its namespace. */
export const distinctRoutes: Rule = function* ({ gatewayApi }) {
  for (const { item, index } of duplicates(gatewayApi.routes, (r) => `${r.namespace}/${r.name}`)) {
    yield {
      path: `gatewayApi.routes[${index}].name`,
      value: item.name,
      why: `namespace ${item.namespace} has a route of that name already`,
      fix: "give it another name",
    };
  }
};
