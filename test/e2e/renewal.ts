import { describe, expect, test } from "vitest";
import { waitFor } from "../lab/shell.ts";
import type { Lab } from "../lab/verification/proof.ts";

const minutes = 60_000;
const script = "/usr/local/lib/oslo-cluster/renew-certificates.sh";

/** Certificates of a living control plane renewed all at once. */
export function describeRenewal(current: () => Lab): void {
  test("every certificate of a control plane is renewed, and the API is away for seconds", {
    timeout: 30 * minutes,
  }, async () => {
    const { onHost, kubectl } = current();
    const probe = await startAnswers(current(), "worker-1");
    const said = await onHost(
      "cp-1",
      `export $(systemctl show --property Environment --value oslo-cluster-certificates.service); bash ${script} now`,
    );
    expect(said).toContain("certificates are renewed on cp-1");
    expect(said).not.toContain("restart etcd");
    const gap = await probe.end();
    console.log(
      `every certificate of the one control plane renewed: API away for ${gap.toFixed(1)} s`,
    );
    expect(gap).toBeLessThan(60);
    expect(await onHost("cp-1", `bash ${script} list`)).not.toMatch(/^(former|broken)/m);
    expect(await kubectl("get", "--raw", "/readyz")).toBe("ok");
  });

  describe("the timer's unit", () => {
    test("finds nothing to renew, and says so", { timeout: 10 * minutes }, async () => {
      const { onHost } = current();
      await onHost("cp-1", "systemctl start oslo-cluster-certificates.service");
      const journal = "journalctl -u oslo-cluster-certificates -o cat -n 20";
      // journald writes in its own time.
      await waitFor("the journal to have it", 60, async () =>
        (await onHost("cp-1", journal)).includes("no certificate ends within 1440 h"),
      );
    });
  });
}

/** Asks the API on a host, through its own balancer, until it is ended: the longest time without an answer, in seconds. */
async function startAnswers({ onHost }: Lab, host: string) {
  const from = Date.now() / 1000;
  await onHost(
    host,
    "systemd-run --quiet --unit=answers bash -c 'while sleep 0.1; do curl -sfk --max-time 2 -o /dev/null https://127.0.0.1:7443/readyz && echo $EPOCHREALTIME >>/run/answers; done'",
  );
  return {
    async end(): Promise<number> {
      const answers = await onHost(
        host,
        "systemctl stop answers; cat /run/answers; rm /run/answers",
      );
      const times = [from, ...answers.trim().split("\n").map(Number)];
      return Math.max(...times.slice(1).map((time, i) => time - (times[i] as number)));
    },
  };
}
