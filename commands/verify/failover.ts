import type { Config } from "../../config/config.ts";
import type { ClusterPlan } from "../../plan/plan.ts";
import { boundSeconds, exitCodeOf, failover, formatLoss } from "../../verify/failover.ts";
import type { sshTransport } from "../../verify/transport.ts";
import { UserError } from "../command.ts";
import { agreed } from "../confirm.ts";

/**
 * Asks whether control planes may be cut.
 * @throws UserError where there is nobody to take over, or the answer is another one
 */
export async function agreedToCut(
  { cluster, nodes }: Pick<Config, "cluster" | "nodes">,
  yes: boolean,
  input?: NodeJS.ReadableStream,
): Promise<void> {
  const planes = nodes.filter(({ role }) => role === "control-plane").map(({ name }) => name);
  if (planes.length < 3) {
    throw new UserError(
      `--disruptive failover: ${planes.length} control plane: nobody takes over from it; nothing was cut`,
    );
  }
  const text = `Each of ${planes.join(", ")} is cut twice for 15 s, one after the other: once its API server hangs, once its API server and etcd are cut off. Clients lose up to ${boundSeconds} s each time; pods are left alone.`;
  await agreed(cluster.name, text, { yes }, input);
}

/** Cuts, measures and prints; sets the exit code. */
export async function tryFailover(
  config: Config,
  plan: ClusterPlan,
  transport: ReturnType<typeof sshTransport>,
  signal: AbortSignal,
  json: boolean,
): Promise<void> {
  try {
    const losses = await failover(config, plan, transport, {
      signal,
      onLoss: (loss) => {
        if (!json) console.log(formatLoss(loss));
      },
    });
    if (json) console.log(JSON.stringify({ boundSeconds, losses }, null, 2));
    process.exitCode = exitCodeOf(losses);
  } catch (error) {
    if (signal.aborted) throw error;
    throw new UserError(`failover: ${(error as Error).message}`);
  } finally {
    await transport.close();
  }
}
