import { test as base, expect } from "vitest";
import { renderStep, step } from "../../plan/step.ts";
import { describeOnLinux } from "../needs.ts";
import { Machine } from "./machine.ts";

const work = (name: string) => `check() { :; }
apply() {
  echo "${name} \${SECRET:-}" >>"$state/order"
  [[ -z \${FAIL:-} ]] || die "said to fail"
  reading '{"by":"${name}"}'
}
`;

const test = base.extend<{ machine: Machine }>({
  machine: async ({ task: _ }, use) => {
    const machine = new Machine("oslo");
    for (const name of ["one", "two", "three"]) machine.addStep(name, work(name));
    machine.addStep("silent", "check() { :; }\napply() { :; }\n");
    await use(machine);
    machine.remove();
  },
});

const document = (name: string, vars = {}) => renderStep(step(name, { CLUSTER: "oslo", ...vars }));

describeOnLinux("apply", () => {
  test("runs steps in order, and answers with their readings", async ({ machine }) => {
    const documents = document("two") + document("one") + document("silent");
    const result = await machine.call(["apply", "one", "silent", "two"], documents);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(result.stdout)).toEqual({ one: { by: "one" }, two: { by: "two" } });
    expect(machine.read("state/order")).toBe("one \ntwo \n");
  });

  test("gives secrets to the last document's step alone", async ({ machine }) => {
    const documents = `${document("one")}${document("two")}secrets:\n  SECRET: "s"\n`;
    await machine.call(["apply", "one", "two"], documents);
    expect(machine.read("state/order")).toBe("one \ntwo s\n");
  });

  test("runs no step after one that has failed, whose exit code is its own", async ({
    machine,
  }) => {
    const documents = document("one", { FAIL: 1 }) + document("two") + document("three");
    const result = await machine.call(["apply", "one,two", "three"], documents);
    expect(result).toMatchObject({ exitCode: 1, stdout: "" });
    expect(machine.read("state/order").trim().split(" \n").sort()).toEqual(["one", "two"]);
    expect(machine.filesBelow("volatile")).not.toHaveProperty(["documents"]);
  });

  test("leaves no document behind", async ({ machine }) => {
    await machine.call(["apply", "one"], `${document("one")}secrets:\n  SECRET: "s"\n`);
    const left = Object.values(machine.filesBelow("volatile")).join("\n");
    expect(left).not.toContain("SECRET");
  });
});
