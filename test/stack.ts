import { loadConfig } from "../config/load.ts";
import { ConfigError, formatProblem, type Problem } from "../config/problem.ts";
import type { ConfigInput } from "../config/schema.ts";
import { hostKey } from "./host-key.ts";

/** A stack on which every rule is content: dual stack, one control plane and two workers. */
const valid: ConfigInput = {
  cluster: { name: "test", region: "NO-OSL-1", residency: "NO" },
  network: {
    vlan: {
      subnets: ["10.10.0.0/24", "fd00:10:10::/64"],
      gateways: ["10.10.0.1", "fd00:10:10::1"],
      interface: "eth1",
    },
    podSubnets: ["10.244.0.0/16", "fd00:10:244::/56"],
    serviceSubnets: ["10.96.0.0/16", "fd00:10:96::/112"],
  },
  nodes: { existing: [node(0, "control-plane"), node(1, "worker"), node(2, "worker")] },
  gatewayApi: {
    routes: [
      {
        name: "shop",
        namespace: "production",
        backends: [
          { name: "v1", port: 8080, weight: 90 },
          { name: "v2", port: 8080, weight: 10 },
        ],
      },
    ],
  },
};

/** The number of a node becomes its addresses and its host key. */
export function node(number: number, role: "control-plane" | "worker") {
  return {
    name: `node-${number}`,
    role,
    addresses: [`10.10.0.${11 + number}`, `fd00:10:10::${11 + number}`],
    ssh: { hostKey: hostKey(number) },
  };
}

/** The valid stack with other values at some paths, `nodes.existing[0].name`; undefined removes. */
export function stack(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const root = structuredClone(valid) as Record<string, unknown>;
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split(/[.[\]]+/).filter(Boolean);
    const last = keys.pop() as string;
    let at = root;
    for (const [i, key] of keys.entries()) {
      at[key] ??= /^\d+$/.test(keys[i + 1] ?? last) ? [] : {};
      at = at[key] as Record<string, unknown>;
    }
    if (value === undefined) delete at[last];
    else at[last] = structuredClone(value);
  }
  return root;
}

/**
 * The problems of a stack, none for a valid one. Each of them, whatever the test is about, is held
 * against the form `path: value: why; fix`.
 */
export function problemsOf(sections: Record<string, unknown>): readonly Problem[] {
  try {
    loadConfig(sections, "test.yaml");
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) assertReadable(problem, error.message);
    return error.problems;
  }
}

function assertReadable(problem: Problem, message: string): void {
  const line = formatProblem(problem);
  const { path, why, fix } = problem;
  const whole = path !== "" && why !== "" && fix !== "" && !fix.includes("docs/configuration.md");
  const shown = message.split("\n").includes(`  ${line}`);
  if (!whole || !shown || !/^\S.*: .+: .+; .+$/.test(line) || /undefined|\[object/.test(line)) {
    throw new Error(`a problem that is not of the form "path: value: why; fix": ${line}`);
  }
}
