import { ciliumTable } from "../cilium/values.ts";
import type { Rule } from "../rule.ts";

/** Raw Helm values may add to what the plan sets, not undo it. */
export const rawValues: Rule = function* ({ cilium }) {
  for (const [path, why] of owned) {
    const value = overriding(cilium.values, path.split("."));
    if (value === undefined) continue;
    yield {
      path: `cilium.values.${path}`,
      value,
      why: `the plan sets this: ${why}`,
      fix: "remove it here",
    };
  }
  for (const { path, option, value } of agentOptions(cilium.values)) {
    if (!ownedOptions.includes(option)) continue;
    yield {
      path: `cilium.values.${path}`,
      value,
      why: `the plan sets the agent's option ${option} through the chart, and this would win over it`,
      fix: "remove it here, and write the field for it",
    };
  }
};

/** Each path that the plan owns, and why. */
const owned = new Map(
  ciliumTable.map(({ path, owns = path, field, why }) => [
    owns,
    field === undefined ? why : `it is ${field}`,
  ]),
);

/**
 * The agent's own options for the same: the chart hands on those that are in extraConfig, extraArgs
 * and extraEnv, and they would win.
 */
export const ownedOptions: readonly string[] = ciliumTable.flatMap(({ options = [] }) => options);

function agentOptions({ extraConfig, extraArgs, extraEnv }: Record<string, unknown>) {
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  return [
    ...Object.entries(isMap(extraConfig) ? extraConfig : {}).map(([option, value]) => ({
      path: `extraConfig.${option}`,
      option: asRead(option),
      value,
    })),
    ...list(extraArgs).map((value, i) => ({
      path: `extraArgs[${i}]`,
      option: asRead(
        String(value)
          .trim()
          .replace(/^-+/, "")
          .replace(/[=\s].*$/s, ""),
      ),
      value,
    })),
    ...list(extraEnv).map((value, i) => ({
      path: `extraEnv[${i}]`,
      option: isMap(value) ? optionOf(String(value.name)) : "",
      value,
    })),
  ];
}

/** The agent reads each option from its environment as well: CILIUM_ROUTING_MODE. */
function optionOf(variable: string): string {
  return asRead(variable.replace(/^CILIUM_/i, ""));
}

/** The agent knows no case in the names of its options. */
function asRead(option: string): string {
  return option.trim().toLowerCase().replaceAll("_", "-");
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What raw values have in the place of a path, also where they put something else than a map above it. */
function overriding(values: unknown, [key, ...rest]: string[]): unknown {
  if (key === undefined || !isMap(values)) return values;
  return overriding(values[key], rest);
}
