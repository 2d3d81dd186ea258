import type { Lab } from "../lab/verification/proof.ts";

/** Waits until a new namespace takes pods: without its service account they are refused. */
export async function takesPods({ kubectl }: Lab, namespace: string): Promise<void> {
  const account = ["serviceaccount/default", "--timeout=180s"];
  await kubectl("-n", namespace, "wait", "--for=create", ...account);
}
