import type { CiliumImpact } from "../config/cilium/value.ts";
import { ciliumTable } from "../config/cilium/values.ts";
import type { Config } from "../config/config.ts";
import type { SourcedDirective } from "./directive.ts";
import { byPath, type Effect, type Effects, effect } from "./effect.ts";

export type LoadBalancerMode = Config["cilium"]["loadBalancer"]["mode"];

/** The chart as it is installed. */
export interface CiliumPlan {
  repository: string;
  version: string;
  namespace: "kube-system";
  /** The load balancer's mode that is wanted, as it is in the values. */
  mode: LoadBalancerMode;
  values: Record<string, unknown>;
  waitFor: Config["cilium"]["waitFor"];
  timeoutSeconds: number;
}

export function ciliumPlan(config: Config): CiliumPlan {
  const { cilium, artifacts } = config;
  return {
    repository: artifacts.charts,
    version: cilium.version,
    namespace: "kube-system",
    mode: cilium.loadBalancer.mode,
    values: ciliumValues(config),
    waitFor: cilium.waitFor,
    timeoutSeconds: cilium.timeoutSeconds,
  };
}

/** The Helm values that the plan sets, by their path. */
export function settings(config: Config) {
  return ciliumTable
    .map(({ value, directives = [], ...rest }) => ({ ...rest, directives, value: value?.(config) }))
    .filter(({ value }) => value !== undefined);
}

/** Helm values: the plan's settings, then raw values, which the configuration's rules keep from contradicting them. */
export function ciliumValues(config: Config): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { path, value } of settings(config)) assign(values, path.split("."), value);
  return merge(values, config.cilium.values);
}

/** The values under the mode that the network between the nodes allows; a dispatch is DSR's alone. */
export function withMode(
  values: Record<string, unknown>,
  mode: LoadBalancerMode,
): Record<string, unknown> {
  const { dsrDispatch, ...loadBalancer } = values.loadBalancer as Record<string, unknown>;
  const dispatch = mode === "snat" || dsrDispatch === undefined ? {} : { dsrDispatch };
  return { ...values, loadBalancer: { ...loadBalancer, mode, ...dispatch } };
}

/** The articles' Cilium settings, as applied. */
export function ciliumDirectives(config: Config): SourcedDirective[] {
  return settings(config).flatMap(({ path, value, source, directives }) =>
    directives.map((d) => ({ ...d, source, applied: `${path}: ${JSON.stringify(value)}` })),
  );
}

function assign(target: Record<string, unknown>, [key, ...rest]: string[], value: unknown): void {
  if (key === undefined) return;
  if (rest.length === 0) target[key] = value;
  else {
    target[key] ??= {};
    assign(target[key] as Record<string, unknown>, rest, value);
  }
}

function merge(base: unknown, over: unknown): Record<string, unknown> {
  const result: Record<string, unknown> = { ...(base as object) };
  for (const [key, value] of Object.entries(over as object)) {
    result[key] = isMap(result[key]) && isMap(value) ? merge(result[key], value) : value;
  }
  return result;
}

function isMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a changed value does; all reach the agents by `rollOutCiliumPods`. */
const effects: Record<CiliumImpact, Effect> = {
  agents: effect(
    "restart",
    "Cilium's agents and operator restart, node after node; pods keep running, and connections through the proxy end",
  ),
  resized: effect(
    "restart",
    "Cilium's agents restart, node after node, and re-create the maps whose size changes: connections that these held may break",
  ),
  operator: effect("live", "the operator's replicas change; the agents stay"),
  relay: effect("live", "Hubble's relay is added, removed or restarts; the agents stay"),
  routed: effect(
    "impossible",
    "addresses and routes of every pod hang on it: put it back, or make a new cluster",
  ),
};

export const ciliumValuesEffects: Effects = byPath(
  Object.fromEntries(
    ciliumTable.map(({ path, reaches = path, impact = "agents" }) => [reaches, effects[impact]]),
  ),
  effects.agents,
);

export const ciliumReleaseEffects: Effects = byPath(
  {
    repository: effect("live", "the chart comes from there; what it holds stays"),
    version: effect(
      "restart",
      "Cilium's agents and operator are replaced, node after node; pods keep running, and connections through the proxy end",
    ),
    waitFor: effect("none", "what `up` waits for"),
    timeoutSeconds: effect("none", "how long `up` waits"),
  },
  effects.agents,
);
