import { agentProblem } from "../steps/ssh/agent.ts";

let isChecked = false;

/** Says on standard error, once, what is wrong with the ssh-agent, before machines refuse one after the other. */
export function warnOfAgent(): void {
  if (isChecked) return;
  isChecked = true;
  const problem = agentProblem();
  if (problem !== undefined) console.error(`warning: ${problem}`);
}
