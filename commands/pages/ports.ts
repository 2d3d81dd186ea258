import type { Config } from "../../config/config.ts";
import { portlessProtocols, ports } from "../../config/ports.ts";
import { table } from "./markdown.ts";

/** What a firewall must let through to the nodes; ports of the loopback interface are not its concern. */
export function portTable(config: Config): string {
  const open = ports(config).filter(({ from }) => from.length > 0);
  const rows = open.map(({ first, last, protocol, owner, from }) => [
    first === last ? `${first}` : `${first}–${last}`,
    protocol.toUpperCase(),
    owner,
    from.join(", "),
  ]);
  for (const { name, number, owner, from } of portlessProtocols) {
    rows.push(["–", `${name} (IP protocol ${number})`, owner, from.join(", ")]);
  }
  return table(["Port", "Protocol", "Who listens", "Who connects"], rows);
}
