import { execa } from "execa";
import { expect, test } from "vitest";
import { describeOnLinux } from "../needs.ts";
import { Machine } from "./machine.ts";

describeOnLinux("etcd runs with a former certificate", () => {
  /** Whether that is said of an etcd that shows a certificate of this name; `new` is the one on disk. */
  async function isFormer(shown: "former" | "new" | "none"): Promise<boolean> {
    const machine = new Machine("oslo");
    machine.install("certificates.sh");
    const pki = machine.path("etc/kubernetes/pki/etcd");
    machine.write("etc/kubernetes/pki/etcd/.keep", "");
    for (const [name, file] of [
      ["former", "former"],
      ["new", "server"],
    ])
      await execa("openssl", [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ...["-subj", `/CN=${name}`, "-keyout", `${pki}/${file}.key`, "-out", `${pki}/${file}.crt`],
      ]);
    const file = { former: "former.crt", new: "server.crt", none: "missing" }[shown];
    // Exit code 124: timeout(1) has ended it.
    machine.addProgram("timeout", `cat ${pki}/${file} || exit 124`);
    const script = `source ${machine.path("lib/lib.sh")}; source ${machine.path("lib/certificates.sh")}
runs_with_former etcd 1 && echo former || echo not`;
    const { stdout } = await execa("bash", ["-euo", "pipefail", "-c", script], {
      env: { PATH: `${machine.path("bin")}:${process.env.PATH}` },
    });
    machine.remove();
    return stdout === "former";
  }

  test("where it shows another than lies on disk", async () => {
    expect(await isFormer("former")).toBe(true);
    expect(await isFormer("new")).toBe(false);
  });

  test("not where it is too busy to show any: a restart would not help it", async () => {
    expect(await isFormer("none")).toBe(false);
  });
});
