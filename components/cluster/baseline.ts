import * as pulumi from "@pulumi/pulumi";
import type { Node } from "../node/node.ts";

export interface BaselineArgs {
  node: Node;
  /** What must have passed on every node before anything is built on one. */
  after: pulumi.Input<pulumi.Resource>[];
}

/** A machine becomes a node: kernel, swap, time, packages at exact versions, containerd, kubelet. */
export class Baseline extends pulumi.ComponentResource {
  /** Set before packets are tried out between the nodes: rp_filter would drop them. */
  readonly kernel: pulumi.Resource;
  /** Done when these are. */
  readonly done: pulumi.Resource[];
  /** Pulled beside all that follows; only what needs the pods waits for it. */
  readonly images: pulumi.Resource;

  constructor(name: string, { node, after }: BaselineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-cluster:index:Baseline", name, {}, opts);
    const kernel = node.step("kernel", after);
    const swap = node.step("swap", after);
    const timeSync = node.step("time-sync", after);
    const packages = node.step("packages", after);
    const containerd = node.step("containerd", [packages]);
    const kubelet = node.step("kubelet", [packages]);
    this.images = node.step("images", [containerd]);
    this.kernel = kernel;
    this.done = [kernel, swap, timeSync, containerd, kubelet];
    this.registerOutputs();
  }
}
