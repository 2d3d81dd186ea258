import type { Backend, EngineRun } from "../../../commands/ephemeral/backend.ts";
import type { OperationContext } from "../../../commands/ephemeral/context.ts";
import type { Leftover, State } from "../../../commands/ephemeral/leftovers.ts";
import { deleteOverSsh } from "../../../steps/ssh/command.ts";
import { machineReach } from "../../../steps/ssh/target.ts";
import { planOf } from "../../stacks.ts";

/** A backend in memory, and an engine that makes a release for each of a stack's machines. */
export class FakeBackend implements Backend {
  readonly url = "memory://";
  readonly all = new Map<string, { tags: Map<string, string>; state: State }>();
  /** Machines that do not answer. */
  readonly dead = new Set<string>();
  /** What was asked, in order: `destroy ephemeral-a`. */
  readonly asked: string[] = [];
  /** Called at the beginning of each run of the engine; what it throws ends it. */
  atRun: (verb: string, stack: string) => void | Promise<void> = () => {};
  /** Called behind each tag that is set. */
  afterTag: (stack: string, key: string) => void | Promise<void> = () => {};
  output = "";
  machines: (stack: string) => string[] = () => ["vps-0", "vps-1"];

  #of(stack: string) {
    const found = this.all.get(stack);
    if (found === undefined) throw new Error(`no stack named '${stack}' found`);
    return found;
  }
  async stacks() {
    return [...this.all.keys()];
  }
  async create(stack: string) {
    if (this.all.has(stack)) throw new Error(`stack '${stack}' already exists`);
    this.all.set(stack, { tags: new Map(), state: {} });
  }
  async tags(stack: string) {
    return Object.fromEntries(this.#of(stack).tags);
  }
  async setTag(stack: string, key: string, value: string) {
    this.#of(stack).tags.set(key, value);
    await this.afterTag(stack, key);
  }
  async unlock(stack: string) {
    this.asked.push(`unlock ${stack}`);
  }
  async up(stack: string) {
    const found = this.#of(stack);
    this.asked.push(`up ${stack}`);
    // Made before anything that can fail.
    found.state = { resources: resourcesOf(this.machines(stack)) };
    await this.atRun("up", stack);
  }
  async destroy(stack: string, { env, onOutput }: EngineRun) {
    const found = this.#of(stack);
    const abandoned = (env?.OSLO_CLUSTER_ABANDON ?? "").split(",");
    this.asked.push(`destroy ${stack}`);
    onOutput(this.output);
    // The cluster is removed before its machines.
    const all = found.state.resources ?? [];
    found.state = { resources: all.filter(({ urn }) => urn.endsWith("-release")) };
    await this.atRun("destroy", stack);
    const stays = ({ urn }: { urn: string }) =>
      [...this.dead].some((name) => urn.endsWith(`::${name}-release`) && !abandoned.includes(name));
    found.state = { resources: (found.state.resources ?? []).filter(stays) };
    if (found.state.resources?.length) throw new Error("destroy failed");
  }
  async state(stack: string) {
    return structuredClone(this.#of(stack).state);
  }
  async outputs(stack: string) {
    return this.#of(stack).state.resources?.length ? { endpoint: "https://x" } : {};
  }
  async remove(stack: string) {
    if (this.#of(stack).state.resources?.length) throw new Error("still has resources");
    this.all.delete(stack);
  }
}

function resourcesOf(machines: string[]): State["resources"] {
  const plan = planOf("two-nodes");
  const urn = (type: string, name: string) => `urn:pulumi:s::oslo-cluster::${type}::${name}`;
  return [
    { urn: urn("oslo-cluster:index:Cluster", "ci-a") },
    {
      urn: urn("oslo-cluster:index:Cluster$oslo-cluster:index:ControlPlane", "control-plane"),
      outputs: { kubeconfig: "kubeconfig" },
    },
    { urn: urn("command:local:Command", "identity"), inputs: { create: "run" } },
    ...machines.map((name) => {
      const reach = { host: name, port: 22, user: "root", hostKey: "ssh-ed25519 AAAA" };
      const remove = deleteOverSsh(machineReach(plan, { name, reach }), "bash -s -- ci-a", {
        kind: "node",
      });
      return { urn: urn("command:local:Command", `${name}-release`), inputs: { delete: remove } };
    }),
  ];
}

/** A machine on a backend that others may share, with a clock that does not move. */
export function fakeContext(backend: FakeBackend, host = "runner-1") {
  const held = new Set<string>();
  const files = new Map<string, Record<string, unknown>>();
  const lock = (name: string): AsyncDisposable | undefined => {
    if (held.has(name)) return undefined;
    held.add(name);
    return { [Symbol.asyncDispose]: async () => void held.delete(name) };
  };
  const context = {
    backend,
    host,
    clock: new Date("2026-01-01T12:00:00.000Z"),
    now: () => context.clock,
    held,
    lines: [] as string[],
    say: (line: string) => void context.lines.push(line),
    onOutput: () => {},
    locks: {
      name: async (name: string) => lock(name),
      // The other one's own lock: machines share none.
      sharing: async () => ({ [Symbol.asyncDispose]: async () => {} }),
      engineEnds: async () => true,
    },
    stackFiles: files,
    files: {
      write: (stack: string, sections: Record<string, unknown>) => void files.set(stack, sections),
      remove: (stack: string) => void files.delete(stack),
    },
    objects: [] as Leftover[],
    removeObjects: async () => {
      backend.asked.push("objects");
      return context.objects;
    },
    pause: async () => {},
  };
  return context satisfies OperationContext;
}
