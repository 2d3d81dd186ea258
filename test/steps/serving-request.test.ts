import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { plan } from "../../plan/plan.ts";
import { root } from "../root.ts";
import { stack } from "../stack.ts";
import { type Asked, bad, good, usages as serverUsages } from "./requests.ts";

const document = plan(loadConfig(stack(), "test")).nodes[0]?.steps["kubelet-approver"];
const kubelets = JSON.parse(document?.files["/etc/oslo-cluster/kubelets.json"] ?? "");

/** What is wrong with a request of node-1, as the approver says it. */
function problem({ request, groups = ["system:nodes"], usages = serverUsages }: Asked): string {
  const words = [
    "system:node:node-1",
    JSON.stringify(groups),
    JSON.stringify([...usages].sort()),
    request.trimEnd(),
    Object.values(kubelets["node-1"]).join("\n"),
  ];
  const { stdout, stderr, status } = spawnSync(
    "bash",
    ["-euo", "pipefail", "-O", "inherit_errexit", "-c", `source "$0"; serving_problem "$@"`]
      .concat(join(root, "steps/serving-request.sh"))
      .concat(words),
    { encoding: "utf8" },
  );
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout.trim();
}

describe("the names that a node may have", () => {
  it("are those of the plan, readable and as bytes", () => {
    expect(kubelets["node-1"]).toEqual({
      "DNS:node-1": "82066e6f64652d31",
      "IP:10.10.0.12": "87040a0a000c",
      "IP:fd00:10:10::12": "8710fd000010001000000000000000000012",
    });
  });
});

describe("a request of a kubelet is approved", () => {
  it.each(good)("%s", (_, asked) => {
    expect(problem(asked)).toBe("");
  });
});

describe("a request of a kubelet is denied", () => {
  it.each(bad)("%s", (_, asked, reason) => {
    expect(problem(asked)).toMatch(reason);
  });
});

it("the approver may approve for kubelets' signer, and nothing else", () => {
  const rights = document?.files["/etc/oslo-cluster/kubelet-approver.yaml"] ?? "";
  expect(rights.match(/kind: ClusterRole\n[\s\S]*?---/)?.[0]).not.toMatch(
    /\*|secrets|create|delete/,
  );
  expect(rights).toContain("- kubernetes.io/kubelet-serving");
  expect(
    readFileSync(join(root, "steps/approve-kubelets.sh"), "utf8").match(/\badmin /g),
  ).toHaveLength(1);
});
