import { execa } from "execa";
import { machineReach } from "../../../steps/ssh/target.ts";
import { labEnvironment } from "../engine.ts";
import type { LabFacts } from "../facts.ts";
import { inNamespace } from "../shell.ts";
import { guestCluster } from "./stack.ts";

/** A guest as the lab's stack places it. */
export interface GuestPlace {
  name: string;
  address: string;
  hypervisor: string;
}

/** Ways to the lab's hypervisors and to guests on them, as root. Each throws where the command fails. */
export interface GuestAccess {
  onHypervisor(name: string, command: string, input?: string): Promise<string>;
  /** Trusts the key that the guest's hypervisor has made for it, and no other. */
  onGuest(guest: GuestPlace, command: string, input?: string): Promise<string>;
}

/** Seconds for a connection; the answer of an emulated guest takes its time. */
const dial = { timeoutSeconds: 30, attempts: 1 };

export function guestAccess(facts: LabFacts): GuestAccess {
  const run = async (
    to: { name: string; host: string; user: string; hostKey: string },
    command: string,
    input?: string,
  ) => {
    const { name, ...reach } = to;
    const { sshArguments, asRoot } = machineReach(
      { dial },
      { name, reach: { ...reach, port: 22 } },
    );
    const ssh = ["ssh", ...sshArguments, asRoot(command)];
    const [file = "", ...args] = inNamespace(facts.netns, ssh);
    const { stdout } = await execa(file, args, {
      env: labEnvironment(facts),
      ...(input === undefined ? { stdin: "ignore" } : { input }),
    });
    return stdout;
  };
  const find = (name: string) => {
    const found = facts.virtual?.hypervisors.find((hypervisor) => hypervisor.name === name);
    if (!found) throw new Error(`no hypervisor ${name}`);
    return found;
  };
  const onHypervisor: GuestAccess["onHypervisor"] = (name, command, input) => {
    const { address, hostKey } = find(name);
    return run({ name, host: address, user: "root", hostKey }, command, input);
  };
  return {
    onHypervisor,
    onGuest: async ({ name, address, hypervisor }, command, input) => {
      const { storage } = find(hypervisor);
      const file = `${storage}/oslo-cluster/${guestCluster}/${name}/host-key.pub`;
      const hostKey = (await onHypervisor(hypervisor, `cat ${file}`)).trim();
      return run({ name, host: address, user: "debian", hostKey }, command, input);
    },
  };
}
