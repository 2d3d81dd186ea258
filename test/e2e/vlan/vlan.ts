import { execa, type ResultPromise } from "execa";
import { inNamespace, run } from "../../lab/shell.ts";
import { Machine } from "../../steps/machine.ts";

const bridge = "vlan";

/** A machine of the VLAN: a network namespace, and where it holds the repository's scripts a folder. */
export class Host {
  readonly namespace: string;
  readonly machine = new Machine("oslo");
  readonly name: string;
  readonly address: string;

  constructor(vlan: string, name: string, address: string) {
    this.name = name;
    this.address = address;
    this.namespace = `${vlan}-${name}`;
  }

  command(...command: string[]): string[] {
    return inNamespace(this.namespace, command);
  }

  run(...command: string[]): Promise<string> {
    const [program = "", ...args] = this.command(...command);
    return run(program, args);
  }

  start(...command: string[]): ResultPromise<{ reject: false }> {
    const [program = "", ...args] = this.command(...command);
    return execa(program, args, { reject: false });
  }

  async nft(rules: string): Promise<void> {
    const [program = "", ...args] = this.command("nft", "-f", "-");
    await run(program, args, { input: rules });
  }
}

/** An L2 segment of network namespaces: a bridge, and machines with eth0 on it. Needs root. */
export class Vlan {
  readonly name = `oslo-${process.pid}`;
  readonly hosts = new Map<string, Host>();
  private readonly lan = new Host(this.name, "lan", "");

  /** @param addresses By name, an IPv4 address of 10.10.0.0/24 each. */
  async up(addresses: Record<string, string>): Promise<void> {
    await run("ip", ["netns", "add", this.lan.namespace]);
    // Without snooping, which waits for a querier that is not there.
    const options = ["type", "bridge", "mcast_snooping", "0", "forward_delay", "0"];
    await this.lan.run("ip", "link", "add", bridge, ...options);
    await this.lan.run("ip", "link", "set", bridge, "up");
    for (const [name, address] of Object.entries(addresses)) await this.add(name, address);
  }

  host(name: string): Host {
    const found = this.hosts.get(name);
    if (found === undefined) throw new Error(`no host ${name}`);
    return found;
  }

  private async add(name: string, address: string): Promise<void> {
    const host = new Host(this.name, name, address);
    this.hosts.set(name, host);
    await run("ip", ["netns", "add", host.namespace]);
    const peer = ["peer", "name", name, "netns", this.lan.namespace];
    await host.run("ip", "link", "add", "eth0", "type", "veth", ...peer);
    await this.lan.run("ip", "link", "set", name, "master", bridge, "up");
    await host.run("ip", "link", "set", "lo", "up");
    await host.run("ip", "link", "set", "eth0", "up");
    await host.run("ip", "address", "add", `${address}/24`, "dev", "eth0");
  }

  /** Rules of the bridge's own netfilter: what ports let through. Replaces those before. */
  async filter(rules: string): Promise<void> {
    await this.lan.nft(`table bridge filter {}
delete table bridge filter
table bridge filter {
  chain forward { type filter hook forward priority 0
${rules}
  }
}
`);
  }

  /** Pulls a host's cable, or puts it back. */
  async cable(name: string, state: "up" | "down"): Promise<void> {
    await this.lan.run("ip", "link", "set", name, state);
  }

  async down(): Promise<void> {
    for (const host of [...this.hosts.values(), this.lan]) {
      const pids = await run("ip", ["netns", "pids", host.namespace]).catch(() => "");
      for (const pid of pids.split("\n").filter(Boolean)) {
        try {
          process.kill(Number(pid), "SIGKILL");
        } catch {} // it has ended
      }
      await run("ip", ["netns", "delete", host.namespace]).catch(() => {});
      host.machine.remove();
    }
  }
}
