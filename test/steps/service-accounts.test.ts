import { test as base, expect } from "vitest";
import { renderStep, step } from "../../plan/step.ts";
import { describeOnLinux } from "../needs.ts";
import { Machine } from "./machine.ts";

// A new cluster's API server, which has the policy and does not use it yet, while the controllers still make accounts.

/**
 * The account of kube-node-lease is made after the first look at the accounts, and before the policy is in use: that
 * is at the third try.
 */
const kubectl = `shift 2
[[ $1 != --request-timeout ]] || shift 2
[[ $1 != --namespace ]] || { namespace=$2 && shift 2; }
tries() { grep -c . "$MACHINE/tries" 2>/dev/null || true; }
case "$*" in
  "get --raw /readyz") echo ok ;;
  "get mutating"*) printf 'policy\\nbinding\\n' ;;
  *--dry-run=server*)
    echo again >>"$MACHINE/tries"
    if (($(tries) > 2)); then printf false; fi ;;
  "patch serviceaccount default"*) echo "$namespace" >>"$MACHINE/said" ;;
  "get serviceaccounts"*)
    if [[ -e $MACHINE/looked || -e $MACHINE/tries ]]; then
      value=$(grep -qx kube-node-lease "$MACHINE/said" 2>/dev/null && echo false || echo null)
      accounts='{"metadata":{"namespace":"kube-node-lease"},"automountServiceAccountToken":'$value'}'
    fi
    touch "$MACHINE/looked"
    echo '{"items":['"\${accounts-}"']}' ;;
esac`;

const test = base.extend<{ machine: Machine }>({
  machine: async ({ task: _ }, use) => {
    const machine = new Machine("oslo");
    machine.addProgram("kubectl", kubectl);
    machine.addOwnStep("service-accounts");
    await use(machine);
    machine.remove();
  },
});

describeOnLinux("default service accounts of a new cluster", () => {
  test("none is left out that is made before the policy is in use", async ({ machine }) => {
    const file = machine.path("etc/oslo-cluster/service-accounts.yaml");
    const document = step(
      "service-accounts",
      { CLUSTER: "oslo", AUTOMOUNT: false },
      { [file]: "the policy" },
    );
    const { exitCode, stderr } = await machine.call(
      ["apply", "service-accounts"],
      renderStep(document),
    );
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(machine.read("said").split("\n")).toContain("kube-node-lease");
  });
});
