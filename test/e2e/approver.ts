import { loadConfig } from "../../config/load.ts";
import { plan } from "../../plan/plan.ts";
import { stack } from "../stack.ts";
import type { LoopbackControlPlane } from "./loopback.ts";

/** The approver of kubelets' certificates, with the documents that the plan makes of the test's stack. */
export function installApprover({ machine }: LoopbackControlPlane): void {
  const files = plan(loadConfig(stack(), "test")).nodes[0]?.steps["kubelet-approver"]?.files ?? {};
  for (const name of ["kubelets.json", "kubelet-approver.yaml"])
    machine.write(`etc/oslo-cluster/${name}`, files[`/etc/oslo-cluster/${name}`] ?? "");
  for (const script of ["approve-kubelets.sh", "serving-request.sh"]) machine.install(script);
}

/** As its unit does, so that all of it ends at once. It is `approver` among the plane's daemons, and speaks as `unshare`. */
export function startApprover(plane: LoopbackControlPlane): void {
  const { machine } = plane;
  machine.write("run/approver/.keep", "");
  const script = ["bash", machine.path("lib/approve-kubelets.sh")];
  const environment = {
    RUNTIME_DIRECTORY: machine.path("run/approver"),
    API: "https://10.99.0.1:6443",
    APPROVER: "oslo-cluster:kubelet-approver",
  };
  const words = ["--pid", "--fork", "--kill-child", ...script];
  plane.spawn("unshare", words, environment, "approver");
}
