import * as pulumi from "@pulumi/pulumi";
import { agentProblem } from "../steps/ssh/agent.ts";

/**
 * Without a key in the operator's ssh-agent each machine would be found unreachable, one after the other
 * and in other words.
 * @throws pulumi.RunError, with the fix, where no agent answers or it holds no key.
 */
export function requireAgent(): void {
  const problem = agentProblem();
  if (problem !== undefined) throw new pulumi.RunError(problem);
}
