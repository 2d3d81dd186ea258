import { howToAbandon, isAbandoned } from "./abandoned.ts";
import { quote } from "./arguments.ts";
import { describeLeft, type Left, leftLine } from "./left.ts";
import type { NodeReach } from "./target.ts";

/** OpenSSH's command line for a command on a machine, as one line of sh. */
export function ssh({ sshArguments }: NodeReach, remote: string): string {
  return ["ssh", ...sshArguments, remote].map(quote).join(" ");
}

/**
 * Runs a command and sets `status`, unless a machine is abandoned: then it says what is left behind, and
 * ends well.
 */
export function unlessAbandoned(machine: string, left: string, command: string): string {
  return `if ${isAbandoned(machine)}; then
  echo "left behind ${left}" >&2
  exit 0
fi
status=0
${command} || status=$?`;
}

/**
 * A command for a resource's `delete`. Fails in bounded time where the machine is dead, and says what
 * is still there and how to continue; one that is abandoned is not asked.
 * @param left What stays there if it cannot be reached; its first line has it for programs.
 * @param input The file, from the program's folder, that the command reads. @default the resource's stdin
 */
export function deleteOverSsh(
  reach: NodeReach,
  remote: string,
  left: Left,
  input?: string,
): string {
  const { name } = reach;
  const what = describeLeft(left);
  const abandoned = `on ${name}: ${what} (abandoned)`;
  const from = input === undefined ? "" : ` <${input}`;
  return `# ${leftLine({ machine: name, ...left })}
${unlessAbandoned(name, abandoned, `timeout 900 ${ssh(reach, remote)}${from}`)}
[ "$status" != 255 ] || echo "left behind on ${name}: ${what}: the machine does not answer. Destroy again when it does; if it is gone for good, destroy with ${howToAbandon([name])}" >&2
exit "$status"`;
}

/** A one-shot command of `oslo-step` on a node, as one line of sh. */
export function onNode(reach: NodeReach, remote: string): string {
  return ssh(reach, reach.asRoot(`/usr/local/lib/oslo-cluster/oslo-step ${remote}`));
}

/** Runs such a command on the first control plane that can do it, as one line of sh. */
export function onAny(controlPlanes: readonly NodeReach[], remote: string): string {
  const calls = controlPlanes.map((reach) => [reach.name, onNode(reach, remote)]);
  const words = calls.map((call) => call.map(quote).join(" "));
  return `exec sh components/node/any-control-plane.sh \\\n  ${words.join(" \\\n  ")}`;
}
