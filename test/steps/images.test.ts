import { expect, test } from "vitest";
import { step } from "../../plan/step.ts";
import { describeOnLinux } from "../needs.ts";
import { Machine } from "./machine.ts";

describeOnLinux("images", () => {
  /** Pulls two from a registry that fails so many times. */
  async function pulled(failures: number) {
    const machine = new Machine("oslo");
    machine.addOwnStep("images");
    machine.addProgram(
      "ctr",
      `echo "\${!#}" >>"$MACHINE/journal"
(($(wc -l <"$MACHINE/journal") > ${failures})) || { echo "unexpected EOF" >&2 && exit 1; }`,
    );
    const { exitCode, stderr } = await machine.oslo(
      "run",
      step("images", { CLUSTER: "oslo", IMAGES: "quay.io/a:1 quay.io/b:1" }),
    );
    const calls = machine.read("journal").trim().split("\n");
    machine.remove();
    return { exitCode, stderr, calls };
  }

  test("are pulled by a registry that fails now and then", async () => {
    const { exitCode, stderr, calls } = await pulled(2);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(calls).toEqual(["quay.io/a:1", "quay.io/a:1", "quay.io/a:1", "quay.io/b:1"]);
  });

  test("that no registry gives are named, with its reason", async () => {
    const { exitCode, stderr } = await pulled(99);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /unexpected EOF\n(.*\n)*error: image quay\.io\/a:1: cannot be pulled on/,
    );
  });
});
