import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClusterPlan } from "../../plan/plan.ts";
import { reachNode } from "./guests.ts";
import { limit } from "./limit.ts";
import type { ProcessOptions } from "./process.ts";
import type { NodeReach } from "./target.ts";

/** SSH to nodes, one connection to each, over which its sessions go. */
export interface Connections {
  /** Arguments of `ssh` for a session, up to and with the destination, and how to become root there. */
  to(node: string): Promise<Pick<NodeReach, "sshArguments" | "asRoot">>;
  /** Ends them all, and what is still to connect. */
  close(): Promise<void>;
}

/** sshd lets ten clients be that have not logged in yet (MaxStartups), and a bastion is before all nodes. */
const startups = 8;
/** A connection ends so many seconds after its last session, should this process not end it. */
const idleSeconds = 60;

/** @param run Runs a command on this machine. */
export function connections(
  plan: ClusterPlan,
  run: (command: readonly string[], options?: ProcessOptions) => Promise<string>,
): Connections {
  const known = new Map<string, ReturnType<Connections["to"]>>();
  const starting = limit(startups);
  let directory: string | undefined;
  let pending = new AbortController();
  const remove = () => {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    directory = undefined;
  };
  // A command that does not wait for machines which hang leaves nothing behind either.
  process.on("exit", remove);

  const connect = async (name: string, i: number) => {
    const node = plan.nodes[i];
    if (node === undefined) throw new Error(`no node ${name}`);
    const { signal } = pending;
    const ask = (command: readonly string[]) => run(command, { signal });
    const { sshArguments, asRoot } = await reachNode(plan, node, ask);
    directory ??= mkdtempSync(join(tmpdir(), "oslo-"));
    // Short, for a socket's path has 104 characters at most; without the socket a session connects itself.
    const path = ["-o", `ControlPath=${join(directory, String(i))}`];
    const first = ["-o", "ControlMaster=yes", "-o", `ControlPersist=${idleSeconds}`, ...path];
    await ask(["ssh", ...first, ...sshArguments, "true"]);
    return { sshArguments: [...path, ...sshArguments], asRoot };
  };
  return {
    to(name) {
      let reach = known.get(name);
      if (reach === undefined) {
        const i = plan.nodes.findIndex((node) => node.name === name);
        reach = starting(() => connect(name, i));
        // One that failed is tried again with the next question.
        reach.catch(() => known.delete(name));
        known.set(name, reach);
      }
      return reach;
    },
    async close() {
      pending.abort();
      const ending = [...known.values()].map(async (reach) => {
        const { sshArguments } = await reach;
        await run(["ssh", "-O", "exit", ...sshArguments]);
      });
      await Promise.allSettled(ending);
      known.clear();
      pending = new AbortController();
      remove();
      process.off("exit", remove);
    },
  };
}
