import { askEach, type Cluster, controlPlanes } from "../cluster.ts";
import { expectNothing, type Proof } from "../proof.ts";

const says: Record<string, string> = {
  learner: "does not vote yet",
  silent: "does not answer, or knows no leader",
  lost: "has lost its data (/var/lib/etcd was emptied, or is another disk)",
};

/** Every member is asked for itself: the API answers as long as a majority has its data. */
export const etcdMembersProof: Proof = {
  promise: "Every control plane has its member of etcd, which votes and has its data",
  proof:
    "each member asked on its own machine: whether it knows a leader and votes; if not, whether its data are those it had",
  fix: "`oslo-cluster drift STACK` names the control plane; one whose data are gone is replaced in place (docs/control-planes.md)",
  async prove(cluster: Cluster) {
    const answers = await askEach(controlPlanes(cluster), (name) =>
      cluster.onNode(name, "/usr/local/lib/oslo-cluster/oslo-step etcd-state"),
    );
    const found = answers.flatMap((one) => {
      if ("problem" in one) return [`${one.of}: ${one.problem}`];
      const { of, answer } = one;
      return answer === "voter" ? [] : [`${of} ${says[answer] ?? `is ${answer}`}`];
    });
    return expectNothing(found, `${answers.length} of ${answers.length} vote`);
  },
};
