import { describe, expect, it } from "vitest";
import { besidePod, onNode, profileOf } from "../../commands/debug/pods.ts";
import { runCommand } from "./run.ts";

/** A kubectl that answers what a cluster would, and remembers what it was asked. */
function kubectlThat(state: object, enforced = "") {
  const calls: { args: readonly string[]; input?: string }[] = [];
  let container = "";
  const kubectl = async (args: readonly string[], input?: string) => {
    calls.push(input === undefined ? { args } : { args, input });
    if (args[0] === "debug") container = args[args.indexOf("--container") + 1] ?? "";
    if (args[0] === "create") container = "debug";
    if (args.includes("namespace")) return enforced;
    const key = container === "debug" ? "containerStatuses" : "ephemeralContainerStatuses";
    return JSON.stringify({ status: { [key]: [{ name: container, state }] } });
  };
  return { kubectl, calls };
}

const running = { running: {} };
const unavailable = { waiting: { reason: "ErrImagePull", message: "not found" } };
const tools = { node: "worker-1", image: "example.no/tools:1", field: "verify.pwruImage" };

describe("a container beside a pod", () => {
  it("runs with what its namespace allows, and is ended", async () => {
    const { kubectl, calls } = kubectlThat(running);
    const entered = await besidePod(kubectl, { namespace: "shop", pod: "cart-0", image: "i:1" });
    const made = calls.find(({ args }) => args[0] === "debug")?.args.join(" ");
    expect(made).toMatch(
      /^debug -n shop cart-0 --image i:1 --container debug-\w{6} --profile baseline -- sh -c /,
    );
    await entered.leave();
    expect(calls.at(-1)?.args).toEqual([
      ...["exec", "-n", "shop", "cart-0", "-c", entered.container, "--", "sh", "-c", "kill 1"],
    ]);
  });

  it.each([
    ["kube-system", "", "netadmin"],
    ["lab", "privileged", "netadmin"],
    ["shop", "", "baseline"],
    ["shop", "baseline", "baseline"],
    ["shop", "restricted", "restricted"],
  ])("in %s, enforced %j: profile %s", (namespace, enforced, profile) => {
    expect(profileOf(namespace, enforced)).toBe(profile);
  });

  it("whose image cannot be pulled is reported with the field to set", async () => {
    const { kubectl } = kubectlThat(unavailable);
    await expect(
      besidePod(kubectl, { namespace: "shop", pod: "cart-0", image: "i:1" }),
    ).rejects.toThrow(
      /^image i:1 cannot be pulled \(ErrImagePull: not found\): set verify\.debugImage/,
    );
  });
});

describe("a pod on a node", () => {
  it("sees the node's network, processes and files, ends itself, and is deleted", async () => {
    const { kubectl, calls } = kubectlThat(running);
    const entered = await onNode(kubectl, tools);
    const { metadata, spec } = JSON.parse(calls[0]?.input ?? "");
    expect(metadata).toMatchObject({ namespace: "kube-system", name: entered.pod });
    expect(spec).toMatchObject({ nodeName: "worker-1", hostNetwork: true, hostPID: true });
    expect(spec.activeDeadlineSeconds).toBeLessThanOrEqual(4 * 3600);
    await entered.leave();
    expect(calls.at(-1)?.args.slice(0, 2)).toEqual(["delete", "pod"]);
  });

  it.each([
    ["cannot be pulled", unavailable, /cannot be pulled .*set verify\.pwruImage/],
    [
      "has no shell",
      { waiting: { reason: "RunContainerError", message: "sh" } },
      /RunContainerError: sh\): set verify\.pwruImage/,
    ],
    ["ended", { terminated: { reason: "Error" } }, /does not run \(Error\)/],
  ])("whose image %s is deleted, and reported", async (_, state, message) => {
    const { kubectl, calls } = kubectlThat(state);
    await expect(onNode(kubectl, tools)).rejects.toThrow(message);
    expect(calls.at(-1)?.args.slice(0, 2)).toEqual(["delete", "pod"]);
  });
});

describe.concurrent("what was typed", () => {
  it.each<[string[], RegExp, number?]>([
    [
      ["drops", "cp-9", "cp-1", "cp-8"],
      /^cp-9, cp-8: no node of the stack; it has cp-1, worker-1, worker-2$/,
      1,
    ],
    [["node", "cp-9"], /^cp-9: no node of the stack/, 1],
    [["look"], /'look' is invalid.*Allowed choices are pod, node, drops, reasons/],
    [["pod"], /^debug pod: \(not set\): write one pod as NAMESPACE\/POD$/],
    [["pod", "cart"], /^debug pod: cart: write one pod as NAMESPACE\/POD$/],
    [["node"], /^debug node: \(not set\): write one node of cp-1, worker-1, worker-2$/],
    [["reasons", "cp-1", "worker-1"], /^debug reasons: cp-1 worker-1: write one node of cp-1, /],
    [["pod", "a/b", "--kubeconfig", "none"], /^--kubeconfig: none: no such file; /, 1],
  ])("%j", async (words, message, exits = 2) => {
    const { exitCode, stdout, stderr } = await runCommand(
      "debug",
      "Pulumi.articles.yaml",
      ...words,
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: exits, stdout: "" });
    expect(stderr).toMatch(message);
  });
});
