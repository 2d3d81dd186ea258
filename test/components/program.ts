import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import protocol, { type RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { parse } from "yaml";
import { project } from "../../config/load.ts";
import { gatewayApiCrds } from "../../plan/gateway-api/crds.ts";
import { configOf } from "../stacks.ts";
import { healthyStdout } from "./healthy-stdout.ts";

/** A resource as the program registered it. */
export interface Registered {
  urn: string;
  type: string;
  name: string;
  parent: string;
  /** What it waits for: `dependsOn`, and what its inputs are made of. */
  dependencies: string[];
  /** For each input, what it is made of. */
  propertyDependencies: Record<string, string[]>;
  deletedWith: string;
  deleteBeforeReplace: boolean;
  additionalSecretOutputs: string[];
  provider: string;
  protect: boolean;
  retainOnDelete: boolean;
  /** URNs of parents under which it may be in a state. */
  formerParents: string[];
  // biome-ignore lint/suspicious/noExplicitAny: inputs of others' schemas
  inputs: Record<string, any>;
}

export interface Run {
  resources: Registered[];
  /** The exports of index.ts. */
  outputs: Record<string, unknown>;
}

/** What a test may change in the machines that the program meets. */
export interface World {
  preview?: boolean;
  /** What a command prints, where it is not what every healthy machine prints. */
  stdout?: (name: string) => string | undefined;
  /** The stack's outputs of the last `up` that succeeded. @default none */
  applied?: Record<string, unknown>;
  /** Called as each resource begins; it is done when the promise is. */
  begins?: (name: string) => Promise<void> | undefined;
}

/** An ssh-add that has a key, for the program's look at the operator's ssh-agent. */
const withKey = fileURLToPath(new URL("agent-with-key", import.meta.url));

// The SDK puts the whole answer into a debug message, which takes a fifth of a run.
Object.assign(protocol.RegisterResourceResponse.prototype, { toString: () => "" });

interface Monitor {
  newUrn(parent: string, type: string, name: string): string;
  registerResource(request: RegisterResourceRequest, done: unknown): Promise<void>;
}

/** index.ts runs once for each address; what it imports has no state of a run, and is loaded once. */
const program = new URL("../../index.ts", import.meta.url).href;
let runs = 0;

/** Runs index.ts with a stack's file under the SDK's mocks, and says what it registered. */
export async function runProgram(stackFile: string, world: World = {}): Promise<Run> {
  const resources: Registered[] = [];
  const { config } = parse(readFileSync(stackFile, "utf8"), { version: "1.1" });
  await pulumi.runtime.setMocks(
    {
      newResource: async ({ name, type, inputs, custom }) => {
        await world.begins?.(name);
        return { id: custom ? `${name}-id` : undefined, state: stateOf(type, name, inputs, world) };
      },
      call: ({ token }) => {
        throw new Error(`the program calls ${token}`);
      },
    },
    project,
    "test",
    world.preview ?? false,
    "organization",
  );
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(config).map(([key, value]) => [key, JSON.stringify(value)])),
  );
  record(resources);
  let outputs: Record<string, unknown> = {};
  await pulumi.runtime.runInPulumiStack(async () => {
    outputs = { ...(await withShortCrds(() => apart(() => import(`${program}?run=${runs++}`)))) };
    return outputs;
  });
  await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
  return { resources, outputs };
}

/** What the program takes of its process, and changes there, is other tests' too: with an agent, and given back. */
async function apart<T>(work: () => Promise<T>): Promise<T> {
  const { PATH, SSH_AUTH_SOCK } = process.env;
  const { debug } = pulumi.log;
  const { prepareStackTrace, stackTraceLimit } = Error;
  const { callsites } = pulumi.Resource as unknown as { callsites: unknown };
  Object.assign(process.env, { PATH: `${withKey}:${PATH}`, SSH_AUTH_SOCK: "/test/agent" });
  // The SDK takes a trace at every promise.
  Error.stackTraceLimit = 1;
  try {
    return await work();
  } finally {
    process.env.PATH = PATH;
    if (SSH_AUTH_SOCK === undefined) delete process.env.SSH_AUTH_SOCK;
    else process.env.SSH_AUTH_SOCK = SSH_AUTH_SOCK;
    Object.assign(pulumi.log, { debug });
    Object.assign(pulumi.Resource, { callsites });
    Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  }
}

/**
 * Upstream's CRDs, for the time of a run without the schemas of their objects: these take half of it on
 * their way through the SDK, and hold nothing of the stack's.
 */
async function withShortCrds<T>(work: () => Promise<T>): Promise<T> {
  const crds = gatewayApiCrds(configOf("articles").gatewayApi.version) as unknown as {
    spec: { versions: object[] };
  }[];
  const specs = crds.map(({ spec }) => spec);
  for (const crd of crds) {
    const versions = crd.spec.versions.map((version) => ({ ...version, schema: {} }));
    crd.spec = { ...crd.spec, versions };
  }
  try {
    return await work();
  } finally {
    for (const [i, spec] of specs.entries()) Object.assign(crds[i] as object, { spec });
  }
}

/** Mocks see no resource options; the request that reaches the engine holds them all. */
function record(resources: Registered[]): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, done) => {
    const [type, name, parent] = [request.getType(), request.getName(), request.getParent()];
    resources.push({
      ...{ type, name, parent, urn: monitor.newUrn(parent, type, name) },
      dependencies: request.getDependenciesList(),
      propertyDependencies: propertyDependencies(request),
      deletedWith: request.getDeletedwith(),
      deleteBeforeReplace: request.getDeletebeforereplace(),
      additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
      provider: request.getProvider(),
      protect: request.getProtect() ?? false,
      retainOnDelete: request.getRetainondelete() ?? false,
      formerParents: request.getAliasesList().map((alias) => alias.getSpec()?.getParenturn() ?? ""),
      inputs: opened(request.getObject()?.toJavaScript() ?? {}) as Registered["inputs"],
    });
    return register(request, done);
  };
}

function propertyDependencies(request: RegisterResourceRequest): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  request.getPropertydependenciesMap().forEach((needed, key) => {
    found[key] = needed.getUrnsList();
  });
  return found;
}

/** Without the wrapping of secrets: what is in them is looked at as well. */
function opened(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(opened);
  const map = value as Record<string, unknown>;
  if ("4dabf18193072939515e22adb298388d" in map) return opened(map.value);
  return Object.fromEntries(Object.entries(map).map(([key, child]) => [key, opened(child)]));
}

function stateOf(type: string, name: string, inputs: Record<string, unknown>, world: World) {
  if (type === "pulumi:pulumi:StackReference") return { ...inputs, outputs: world.applied ?? {} };
  if (!type.startsWith("command:") || world.preview) return inputs;
  return { ...inputs, stdout: world.stdout?.(name) ?? healthyStdout(name), stderr: "" };
}
