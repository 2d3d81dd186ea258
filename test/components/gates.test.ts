import { describe, expect, it } from "vitest";
import { sharedIdentities } from "../../components/cluster/gates.ts";

const machine = (node: string, facts: Record<string, string> = {}) => ({
  node,
  hostname: node,
  machineId: `id-of-${node}`,
  macAddresses: `52:54:00:00:00:0${node.length} 52:54:00:00:01:0${node.length}`,
  productUuid: `uuid-of-${node}`,
  ...facts,
});

describe("identities that machines share", () => {
  it("are none among machines of their own", () => {
    expect(sharedIdentities([machine("a"), machine("bb"), machine("ccc")])).toEqual([]);
  });

  it.each([
    ["machineId", "systemd-machine-id-setup"],
    ["hostname", "hostnamectl set-hostname"],
    ["macAddresses", "MAC addresses of their own"],
    ["productUuid", "UUIDs of their own"],
  ])("%s is reported with both machines and the fix", (key, fix) => {
    const shared = { [key]: "same" };
    const lines = sharedIdentities([machine("a", shared), machine("bb"), machine("ccc", shared)]);
    expect(lines).toEqual([expect.stringMatching(/^ccc: .*same.*\ba has the same/)]);
    expect(lines[0]).toContain(fix);
  });

  it("are reported all at once, and per further machine", () => {
    const clone = { machineId: "same", productUuid: "same" };
    const lines = sharedIdentities(["a", "bb", "ccc"].map((name) => machine(name, clone)));
    expect(lines).toHaveLength(4);
  });

  it("are not shared where a machine has none to report", () => {
    const none = { productUuid: "", macAddresses: "" };
    expect(sharedIdentities([machine("a", none), machine("bb", none)])).toEqual([]);
  });

  it("are found where one address of several is the same", () => {
    const [a, b] = [{ macAddresses: "aa:01 aa:02" }, { macAddresses: "aa:02 aa:03" }];
    expect(sharedIdentities([machine("a", a), machine("bb", b)])).toEqual([
      expect.stringContaining("aa:02"),
    ]);
  });
});
