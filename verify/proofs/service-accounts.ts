import { namespace, namespaceObject } from "../probe/namespace.ts";
import { expectNothing, notEnabled, type Proof } from "../proof.ts";

interface ServiceAccount {
  metadata: { namespace: string };
  automountServiceAccountToken?: boolean;
}

export const serviceAccountsProof: Proof = {
  promise: "Default service accounts mount no token, also in namespaces that are made later",
  proof:
    "the default service account of every namespace, and of one that is made for it: automountServiceAccountToken is there, and true only where somebody wrote that",
  fix: "run `pulumi up`, which puts the policy oslo-cluster-default-service-accounts back",
  async prove(cluster) {
    const { kubernetes } = cluster.config;
    if (kubernetes.automountDefaultServiceAccountToken)
      return notEnabled("kubernetes.automountDefaultServiceAccountToken: true");
    await cluster.apply([namespaceObject]);
    await cluster.kubectl(
      ...["-n", namespace, "wait", "--for=create", "serviceaccount/default", "--timeout=30s"],
    );
    const { items } = JSON.parse(
      await cluster.kubectl(
        ...["get", "serviceaccounts", "-A", "--field-selector", "metadata.name=default"],
        ...["-o", "json"],
      ),
    ) as { items: ServiceAccount[] };
    const named = (wanted: boolean | undefined) =>
      items
        .filter(({ automountServiceAccountToken: mounts }) => mounts === wanted)
        .map(({ metadata }) => metadata.namespace);
    const open = named(true);
    const also = open.length > 0 ? `; mount one, as written there: ${open.join(", ")}` : "";
    return expectNothing(
      named(undefined).map((name) => `${name}: its default service account mounts its token`),
      `${named(false).length} namespaces mount none${also}`,
    );
  },
};
