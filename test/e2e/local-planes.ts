import { execa } from "execa";
import type { ControlPlane } from "../../commands/encryption/nodes.ts";
import { quote } from "../../steps/ssh/arguments.ts";
import { output } from "../../steps/ssh/process.ts";

/** A control plane that is a folder and a network namespace of this machine. */
export interface LocalPlane {
  name: string;
  namespace: string;
  /** Where its scripts are. */
  library: string;
}

/** What a command drives over SSH elsewhere, run here. */
export function localPlanes(planes: readonly LocalPlane[]): ControlPlane[] {
  return planes.map(({ name, namespace, library }) => {
    const command: ControlPlane["command"] = (script, ...words) => [
      ...["ip", "netns", "exec", namespace, "bash", `${library}/${script}.sh`],
      ...words,
    ];
    return {
      name,
      command,
      run: (script, ...words) => output(command(script, ...words)),
      feed: async (pipeline, script, ...words) => {
        const line = `set -o pipefail; ${pipeline} | ${command(script, ...words)
          .map(quote)
          .join(" ")}`;
        return (await execa("bash", ["-c", line])).stdout;
      },
    };
  });
}
