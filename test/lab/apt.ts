import type { Options } from "execa";
import { run } from "./shell.ts";

/**
 * apt-get on this machine, one at a time: tests' files run side by side, and the machine may be at its own updates.
 * A mirror that fails once is asked again.
 */
export function aptGet(args: readonly string[], options: Options = {}): Promise<string> {
  const patient = ["-o", "DPkg::Lock::Timeout=600", "-o", "Acquire::Retries=3"];
  const apt = ["apt-get", "-qq", ...patient, ...args];
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  return run("flock", ["/run/lock/oslo-lab-apt", ...apt], { env, ...options });
}

/** Installs packages by today's lists. None of them may be a service. */
export async function installPackages(...packages: string[]): Promise<void> {
  await aptGet(["update"]);
  await aptGet(["install", "-y", "--no-install-recommends", ...packages]);
}
