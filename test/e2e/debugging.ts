import { describe, expect, test } from "vitest";
import { deniedCallProof } from "../../verify/proofs/denied-call.ts";
import { runInLab } from "../lab/command.ts";
import { waitFor } from "../lab/shell.ts";
import { stackFile } from "../lab/stack.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { kubeconfigFile, proveProduct } from "../lab/verification/verify.ts";

const minutes = 60_000;

/** `npm run debug`, as a person would type it in the lab's network. */
export function describeDebugging(current: () => Lab): void {
  const debug = (...words: string[]) =>
    runInLab(current().facts, ["debug", stackFile, "--kubeconfig", kubeconfigFile, ...words]);
  const ours = () => {
    const label = ["-l", "oslo-cluster.io/made-by=debug", "-o", "name"];
    return current().kubectl("-n", "kube-system", "get", "pods", ...label);
  };

  describe("debug", { timeout: 20 * minutes }, () => {
    test("beside a pod: its own network, and the container is ended", async () => {
      const of = ["-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-dns", "-o"];
      const [pod = "", address = ""] = (
        await current().kubectl(
          ...of,
          "jsonpath={.items[0].metadata.name} {.items[0].status.podIP}",
        )
      ).split(" ");
      const { exitCode, stdout, stderr } = await debug(
        ...["pod", `kube-system/${pod}`, "--", "cat", "/proc/net/fib_trie"],
      );
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.any(String) });
      expect(stdout).toContain(address);
      await waitFor("the container to end", 90, async () => {
        const state = "jsonpath={.status.ephemeralContainerStatuses[*].state}";
        const text = await current().kubectl("-n", "kube-system", "get", "pod", pod, "-o", state);
        return text.includes("terminated");
      });
    });

    test("on a node: its files and network, its exit code, and the pod is removed", async () => {
      const { exitCode, stdout } = await debug(
        ...["node", "worker-1", "--", "sh", "-c", "cat /host/etc/hostname; exit 3"],
      );
      expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "worker-1" });
      await waitFor("the pod to go", 90, async () => (await ours()) === "");
    });

    test("an image that no registry has is reported with the field to set", async () => {
      const { exitCode, stderr } = await debug("reasons", "worker-1");
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^image \S+pwru\S* cannot be pulled .*set verify\.pwruImage/s);
      await waitFor("the pod to go", 90, async () => (await ours()) === "");
    });

    test("dropped flows of every node as they come, until it is interrupted", async () => {
      const lab = current();
      const hosts = ["cp-1", "worker-1"];
      const watching = debug("drops");
      let printed = "";
      watching.stdout.on("data", (text) => {
        printed += text;
      });
      const isShown = (host: string) =>
        new RegExp(`^${host} {2}.*:8083 .*DROPPED`, "m").test(printed);
      const watched = async () =>
        Promise.all(hosts.map((host) => lab.onHost(host, "pgrep -xc hubble || true")));
      await waitFor("Hubble to be asked on every node", 90, async () =>
        (await watched()).every((count) => count.trim() !== "0"),
      );
      const [row] = await proveProduct(lab.facts, [deniedCallProof]);
      expect(row).toMatchObject({ verdict: "pass" });
      await waitFor("the dropped flows of both", 60, () => hosts.every(isShown)).finally(() =>
        watching.kill("SIGINT"),
      );
      await watching;
      await waitFor("nobody to ask Hubble", 60, async () =>
        (await watched()).every((count) => count.trim() === "0"),
      );
    });
  });
}
