import { describe } from "vitest";
import { refuses, takes } from "./refuses.ts";

describe("routes", () => {
  const backends = "gatewayApi.routes[0].backends";
  const route = (name: string, namespace: string) => ({
    name,
    namespace,
    backends: [{ name: "v1", port: 80 }],
  });
  refuses([
    {
      name: "weights that add up to less than 100",
      changes: { [`${backends}[1].weight`]: 9 },
      at: [backends],
      says: "add up to 99",
    },
    {
      name: "weights that add up to more, one of them the default",
      changes: { [`${backends}[1].weight`]: undefined },
      at: [backends],
      says: "add up to 190",
    },
    {
      name: "the same name twice in one namespace",
      changes: { "gatewayApi.routes": [route("a", "x"), route("a", "x")] },
      at: ["gatewayApi.routes[1].name"],
      says: "namespace x has a route of that name",
    },
  ]);
  takes([
    {
      name: "the same name in two namespaces",
      changes: { "gatewayApi.routes": [route("a", "x"), route("a", "y")] },
    },
  ]);
});
