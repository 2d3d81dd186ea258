import { test as base, expect } from "vitest";
import { renderStep, step } from "../../plan/step.ts";
import { describeOnLinux } from "../needs.ts";
import { Machine } from "./machine.ts";

// The API through a balancer that ends connections to a control plane which is not ready any more.

/** kubectl whose connection is cut the first time that it says something, and which then has it all. */
const kubectl = `shift 2
[[ $1 != --request-timeout ]] || shift 2
[[ $1 != --namespace ]] || shift 2
said=$(tr -c 'a-z0-9\\n' - <<<"$*")
if [[ ! -e $MACHINE/cut/$said ]]; then
  mkdir -p "$MACHINE/cut" && touch "$MACHINE/cut/$said"
  echo "Unable to connect to the server: unexpected EOF" >&2
  exit 1
fi
echo "$*" >>"$MACHINE/journal"
case "$1 $2" in
  "get serviceaccounts")
    value=$(grep -q ^patch "$MACHINE/journal" && echo false || echo null)
    echo '{"items":[{"metadata":{"namespace":"shop"},"automountServiceAccountToken":'$value'}]}' ;;
  "get node") printf True ;;
  "get daemonset/cilium-envoy") echo daemonset.apps/cilium-envoy ;;
esac`;

const test = base.extend<{ machine: Machine }>({
  machine: async ({ task: _ }, use) => {
    const machine = new Machine("oslo");
    machine.addProgram("kubectl", kubectl);
    await use(machine);
    machine.remove();
  },
});

describeOnLinux("a connection that is cut", () => {
  test("leaves no default service account unwritten", async ({ machine }) => {
    machine.addOwnStep("service-accounts");
    const { exitCode } = await machine.call(
      ["apply", "service-accounts"],
      renderStep(step("service-accounts", { CLUSTER: "oslo", AUTOMOUNT: false })),
    );
    expect(exitCode).toBe(0);
    expect(machine.read("journal").split("\n")).toContain(
      'patch serviceaccount default --patch {"automountServiceAccountToken":false}',
    );
  });

  test("leaves nothing out of what is waited for", async ({ machine }) => {
    machine.addOwnStep("ready");
    const document = {
      CLUSTER: "oslo",
      WAIT_FOR: "all",
      TIMEOUT_SECONDS: 60,
      CRDS: "",
      NODES: "cp-1",
    };
    const { exitCode } = await machine.call(
      ["apply", "ready"],
      renderStep(step("ready", document)),
    );
    expect(exitCode).toBe(0);
    expect(machine.read("journal").trim().split("\n")).toEqual([
      "get daemonset/cilium-envoy --ignore-not-found --output name",
      "get deployment/hubble-relay --ignore-not-found --output name",
      ...[
        "daemonset/cilium",
        "deployment/cilium-operator",
        "deployment/coredns",
        "daemonset/cilium-envoy",
      ].map((workload) => `rollout status ${workload} --timeout 60s`),
      "wait --for=condition=Ready --timeout 60s node/cp-1",
      expect.stringMatching(/^get node cp-1/),
    ]);
  });
});
