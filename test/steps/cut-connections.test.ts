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
  "get namespace") printf 0d5e ;;
  "version --output") echo '{"serverVersion":{"gitVersion":"v1.36.3"}}' ;;
  "get configmap") printf 2026-09-21T13:13:20Z ;;
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

  test("hides no cluster from who asks who it is", async ({ machine }) => {
    machine.install("identity.sh");
    machine.write("state/cluster", "");
    machine.write("etc/kubernetes/pki/ca.crt", "the CA");
    const { exitCode, stdout } = await machine.call(["identity"]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ version: "1.36.3", uid: "0d5e" });
  });

  test("refuses no join, nor does an etcd that is just starting", async ({ machine }) => {
    for (const name of ["mint-join.sh", "etcd.sh"]) machine.install(name);
    machine.write("state/cluster", "");
    machine.write("etc/kubernetes/pki/ca.crt", "the CA");
    machine.addProgram("kubeadm", "echo abcdef.0123456789abcdef");
    machine.addProgram("tar", "true");
    // Nothing answers at first, and then one member.
    machine.addProgram(
      "curl",
      `[[ -e $MACHINE/etcd-runs ]] || { touch "$MACHINE/etcd-runs"; exit 7; }
echo '{"header":{},"members":[{"ID":"1","name":"cp-1","peerURLs":["https://10.0.0.11:2380"],"clientURLs":["https://10.0.0.11:2379"]}]}'`,
    );
    const words = ["mint-join", "control-plane", "cp-2", "https://10.0.0.12:2380"];
    const { exitCode, stdout, stderr } = await machine.call(words);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain('TOKEN: "abcdef.0123456789abcdef"');
    expect(machine.read("journal")).toMatch(/^patch configmap oslo-cluster-removed-nodes/m);
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
