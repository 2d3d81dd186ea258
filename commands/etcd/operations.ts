import { renderStep } from "../../plan/step.ts";
import type { Decision } from "./decide.ts";
import type { Machine } from "./machines.ts";

/** One thing that is done on one node. Each may be repeated, and be killed anywhere. */
export interface Operation {
  on: string;
  does: string;
  /** @returns what is worth saying of it */
  run(): Promise<string>;
  /** From here on the cluster answers. */
  answers?: true;
}

export function salvage(machine: Machine): Operation {
  return {
    on: machine.name,
    does: "save a snapshot of what is there",
    run: () => machine.run("restore", "salvage"),
  };
}

/**
 * @param pipeline Prints the decrypted set; nothing of it is kept on this machine.
 * @param takenAt What its name at a target says, in seconds since 1970.
 */
export function receive(
  machine: Machine,
  { what, pipeline, takenAt }: { what: string; pipeline: string; takenAt?: number },
): Operation {
  const time = takenAt === undefined ? [] : [`${takenAt}`];
  return {
    on: machine.name,
    does: `take ${what}, decrypted here, and compare its UID, its CA and the CA's signature`,
    run: () => machine.feed(pipeline, "restore", "receive", ...time),
  };
}

export function stop(machine: Machine): Operation {
  return {
    on: machine.name,
    does: "stop etcd and the API server, and move the data aside",
    run: () => machine.run("restore", "stop"),
  };
}

/** Brings the first control plane back. */
export function first({ machine, state, from }: Decision<Machine>): Operation {
  const { name, node } = machine;
  if (state.made && state.phase !== "seeded") {
    const source =
      state.phase === "restored"
        ? ""
        : from === "copy"
          ? " from the copy"
          : " from its own snapshot";
    return {
      ...{ on: name, answers: true },
      does: `restore etcd${source}, start the API server, and what must list again`,
      run: () => machine.run("restore", "apply", from),
    };
  }
  return {
    ...{ on: name, answers: true },
    does: "begin again from the copy, with the cluster's own CAs and keys, by the step control-plane",
    run: async () => {
      await machine.step("run control-plane", documentOf(node));
      return machine.run("restore", "begun");
    },
  };
}

/** As `up` does it: what is minted passes through this process alone. */
export function join(machine: Machine, by: Machine): Operation {
  const mint = `mint-join ${machine.node.join}`;
  return {
    on: machine.name,
    does: `join etcd and the control plane of ${by.name}`,
    run: async () => {
      await by.run("restore", "forget", machine.name);
      const secrets = await by.step(mint);
      try {
        await machine.step("run control-plane", documentOf(machine.node) + secrets);
      } finally {
        await by.step(mint, secrets).catch(() => {}); // it ends by itself in five minutes
      }
      return "";
    },
  };
}

function documentOf({ name, steps }: Machine["node"]): string {
  const document = steps["control-plane"];
  if (document === undefined) throw new Error(`${name} has no step control-plane`);
  return renderStep(document);
}

/** A kubelet registers its node when it starts: the copy may be older than the node. */
export function relist(worker: Machine, { machine }: Decision<Machine>): Operation {
  const digest = "sha256sum /etc/kubernetes/pki/ca.crt 2>/dev/null | cut -d' ' -f1";
  return {
    on: worker.name,
    does: "restart the kubelet, which lists again",
    run: async () => {
      try {
        const [own, cluster] = await Promise.all([worker.shell(digest), machine.shell(digest)]);
        if (own === "") return "no worker yet: `pulumi up` joins it";
        if (own !== cluster)
          return "its CA is of another cluster, which this cluster refuses: take it out of the file, `pulumi up`, and add it again";
        await worker.shell("systemctl restart kubelet");
        return "";
      } catch (error) {
        return `not restarted: ${(error as Error).message}; restart its kubelet when it is back`;
      }
    },
  };
}

export function finish(machine: Machine): Operation {
  return {
    on: machine.name,
    does: "end the restore; what was saved stays in /var/lib/oslo-cluster/restore",
    run: () => machine.run("restore", "finish"),
  };
}

export function relistAgents(machine: Machine): Operation {
  return {
    on: machine.name,
    does: "restart Cilium's agents and operator, which list again",
    run: () => machine.run("restore", "relist"),
  };
}
