import { AsyncLocalStorage } from "node:async_hooks";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import type { Registration } from "./decide.ts";
import { type Engine, notStarted } from "./engine.ts";
import { hide } from "./log.ts";
import type { StackConfig } from "./stack-config.ts";
import { markSecrets, openInputs, showUnknown, type Values } from "./values.ts";

export interface ProgramResult {
  /** The program's exports. */
  outputs: Values;
  /** Names of outputs that are secret. */
  secretOutputs: string[];
  /** Errors of the program itself, without those of resources. */
  errors: string[];
}

/**
 * Runs a Pulumi program under the SDK's test seam, with `engine` in the place of the real one.
 * The SDK registers a resource once its inputs and dependencies are there, and lets nothing
 * that needs it go on before `newResource` resolves: so that is where the work is done.
 */
export async function runProgram(
  program: string,
  config: StackConfig,
  preview: boolean,
  engine: Engine,
): Promise<ProgramResult> {
  const errors = collectErrors(engine);
  const monitor = await installSeam(config, preview, engine);
  pulumi.runtime.setAllConfig(config.values);
  process.chdir(dirname(program));

  let ended = false;
  const finish = () => {
    ended = true;
  };
  pulumi.runtime
    .runInPulumiStack(() => load(program))
    .then(finish, (error) => {
      finish();
      errors.add(error);
    });
  await eventLoopEmpty();

  if (!ended && errors.list().length + engine.failures.length === 0) {
    errors.add(new pulumi.RunError("The program waits for an output that nothing resolves."));
  }
  if (pulumi.log.hasErrors()) errors.add(new pulumi.RunError("The program logged an error."));
  return { ...stackOutputs(monitor, config), errors: errors.list() };
}

/** The part of the SDK's mock monitor that is used here. */
interface Monitor {
  newUrn(parent: string, type: string, name: string): string;
  registerResource(request: RegisterResourceRequest, done: unknown): Promise<void>;
  getRegisteredResources(): Map<string, { state: { toJavaScript?(): Values } }>;
}

const stackType = "pulumi:pulumi:Stack";

/** Mocks see no resource options, but the monitor's request has them: it is handed on. */
async function installSeam(config: StackConfig, preview: boolean, engine: Engine) {
  const requests = new AsyncLocalStorage<RegisterResourceRequest>();
  const mocks: pulumi.runtime.Mocks = {
    async newResource() {
      const request = requests.getStore();
      if (!request) throw new Error("Existing resources cannot be read by the lab's runner.");
      const wanted = registration(request, monitor);
      const { id, outputs } = await engine.register(wanted);
      return { id, state: markSecrets(outputs, wanted.secrets) };
    },
    call: ({ token }) => {
      throw new Error(`The lab's runner has no function ${token}.`);
    },
  };
  await pulumi.runtime.setMocks(mocks, config.project, config.stack, preview, "organization");
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, done) => requests.run(request, register, request, done);
  // The seam keeps the last type of the parent only, so that names could clash.
  monitor.newUrn = (parent, type, name) => {
    const parentType = parent.split("::")[2];
    const chain = parentType && parentType !== stackType ? `${parentType}$${type}` : type;
    return `urn:pulumi:${[config.stack, config.project, chain, name].join("::")}`;
  };
  return monitor;
}

function registration(request: RegisterResourceRequest, monitor: Monitor): Registration {
  refuseUnsupported(request);
  const { inputs, secrets } = openInputs(request.getObject()?.toJavaScript() ?? {});
  const provider = request.getProvider().split("::").slice(0, 4).join("::");
  const parent = request.getParent();
  const deletedWith = request.getDeletedwith();
  const needed = [...request.getDependenciesList(), provider, parent, deletedWith];
  return {
    urn: monitor.newUrn(parent, request.getType(), request.getName()),
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom(),
    inputs,
    secrets: [...new Set([...secrets, ...request.getAdditionalsecretoutputsList()])],
    dependencies: [...new Set(needed)].filter((urn) => urn !== ""),
    propertyDependencies: propertyDependencies(request),
    ...(provider === "" ? {} : { provider }),
    ...(deletedWith === "" ? {} : { deletedWith }),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    retainOnDelete: request.getRetainondelete() ?? false,
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
  };
}

function propertyDependencies(request: RegisterResourceRequest): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  request.getPropertydependenciesMap().forEach((needed, key) => {
    found[key] = needed.getUrnsList();
  });
  return found;
}

function refuseUnsupported(request: RegisterResourceRequest): void {
  const options = {
    import: request.getImportid(),
    protect: request.getProtect(),
    replaceWith: request.getReplaceWithList().length > 0,
    replacementTrigger: request.getReplacementTrigger(),
    transforms: request.getTransformsList().length > 0,
    hooks: request.getHooks(),
    "a remote component": request.getRemote(),
  };
  const used = Object.entries(options).filter(([, value]) => value);
  if (used.length === 0) return;
  const names = used.map(([name]) => name).join(", ");
  throw new Error(`${request.getName()}: the lab's runner cannot handle ${names}.`);
}

/** The module's exports, as the SDK's own runner of programs takes them. */
async function load(program: string): Promise<unknown> {
  const module = await import(pathToFileURL(program).href);
  if (!("default" in module)) return module;
  return typeof module.default === "function" ? module.default() : module.default;
}

/**
 * Errors that nothing in the program handles, each once. A failed resource rejects everything
 * that depends on it, under its own message: that is told by the engine already.
 */
function collectErrors(engine: Engine) {
  const found = new Set<string>();
  const add = (error: unknown) => {
    const text = describe(error);
    const told = [...engine.failures, notStarted].some((failure) => text.includes(failure));
    if (!told) found.add(text);
  };
  process.on("unhandledRejection", add);
  process.on("uncaughtException", add);
  return { add, list: () => [...found] };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, stack = message } = error;
  if (pulumi.RunError.isInstance(error)) return message;
  return (error as pulumi.ResourceError).hideStack ? message : stack;
}

/** Nothing is left to happen: neither resources nor anything else the program waits for. */
function eventLoopEmpty(): Promise<void> {
  return new Promise((resolve) => process.once("beforeExit", () => resolve()));
}

function stackOutputs(monitor: Monitor, { project, stack }: StackConfig) {
  const urn = monitor.newUrn("", stackType, `${project}-${stack}`);
  const registered = monitor.getRegisteredResources().get(urn)?.state;
  const { inputs, secrets } = openInputs(registered?.toJavaScript?.() ?? {});
  for (const name of secrets) hide(inputs[name]);
  return { outputs: showUnknown(inputs) as Values, secretOutputs: secrets };
}
