import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { stackFiles } from "../stacks.ts";
import { Graph } from "./graph.ts";
import { runProgram } from "./program.ts";

const whole = { plain: true, podSource: true, ipip: true };

/** Cilium's load balancer as it is installed, and the output, after the probe has read this. */
async function installedAfter(stack: keyof typeof stackFiles, reading: object, preview = false) {
  const stdout = (name: string) =>
    name === "datapath-probe" ? JSON.stringify({ "a -> b": reading }) : undefined;
  const { resources, outputs } = await runProgram(stackFiles[stack], { preview, stdout });
  const { values } = new Graph(resources).get("cilium").inputs;
  const output = pulumi.output(outputs.datapath) as pulumi.Output<{ loadBalancerMode: string }> & {
    promise(): Promise<{ loadBalancerMode: string }>;
  };
  return {
    loadBalancer: values?.loadBalancer,
    mode: preview ? undefined : (await output.promise()).loadBalancerMode,
  };
}

describe("what the nodes have tried out", () => {
  it("leaves the wanted mode where all has arrived", async () => {
    const { loadBalancer, mode } = await installedAfter("two-nodes", { ipv4: whole });
    expect(mode).toBe("hybrid");
    expect(loadBalancer).toMatchObject({ mode: "hybrid", dsrDispatch: "ipip" });
  });

  it("makes it snat where something was lost and the fallback is allowed", async () => {
    const { loadBalancer, mode } = await installedAfter("two-nodes", {
      ipv4: { ...whole, ipip: false },
    });
    expect(mode).toBe("snat");
    expect(loadBalancer).toMatchObject({ mode: "snat", algorithm: "maglev" });
    expect(loadBalancer).not.toHaveProperty("dsrDispatch");
  });

  it("changes nothing without the fallback, so that every preview knows the values", async () => {
    expect((await installedAfter("articles", {}, true)).loadBalancer).toMatchObject({
      mode: "dsr",
    });
  });
});
