import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Machine } from "./machine.ts";

const machine = new Machine("oslo");
const [own, ...others] = ["https://own:6443", "https://two:6443", "https://three:6443"];

beforeAll(() => {
  machine.install("virtual-address-check.sh");
  machine.addProgram(
    "curl",
    `grep --quiet --line-regexp --fixed-strings "\${!#}" "$MACHINE/answers"`,
  );
  machine.addProgram(
    "ip",
    '[[ $2 != address ]] || echo "2: eth1 inet 10.10.0.10/32"; [[ $1 == -oneline ]] || echo "$*" >>"$MACHINE/ip.log"',
  );
});
afterAll(() => machine.remove());

const lives = others.map((other) => `${other}/livez?exclude=etcd`);

it.each<[string, string[], boolean]>([
  ["its API server is ready", [`${own}/readyz`], true],
  ["nobody is ready, and another one lives: etcd elects", lives.slice(1), true],
  ["another one is ready", [`${others[0]}/readyz`, ...lives], false],
  ["the last one is ready, and the other dead", [`${others[1]}/readyz`, ...lives.slice(1)], false],
  ["none of the others answers: it is cut off", [`${own}/livez?exclude=etcd`], false],
])("where %s", async (_, answers, may) => {
  machine.write("master", "");
  expect(await check(answers)).toEqual({ may, ip: may ? more : "" });
});

it("where keepalived has given it up, and it is still or again there", async () => {
  machine.forget("master");
  expect(await check([`${own}/readyz`])).toEqual({ may: true, ip: "" });
});

const more = "address change 10.10.0.10/32 dev eth1 valid_lft 4 preferred_lft 0\n";

/** What it says where these answer, and what it does to the address. */
async function check(answers: string[]): Promise<{ may: boolean; ip: string }> {
  machine.write("answers", `${answers.join("\n")}\n`);
  machine.write("ip.log", "");
  const words = [machine.path("lib/virtual-address-check.sh"), "10.10.0.10/32", "eth1"];
  words.push(machine.path("master"), `${own}/readyz`, ...others);
  const { exitCode } = await execa("bash", words, {
    env: { PATH: `${machine.path("bin")}:${process.env.PATH}`, MACHINE: machine.path(".") },
    reject: false,
  });
  return { may: exitCode === 0, ip: machine.read("ip.log") };
}
