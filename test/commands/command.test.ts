import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { report, UsageError, UserError } from "../../commands/command.ts";
import { output } from "../../steps/ssh/process.ts";

const printed = vi.spyOn(console, "error").mockImplementation(() => undefined);
afterEach(() => {
  printed.mockClear();
  vi.unstubAllEnvs();
});
afterAll(() => printed.mockRestore());
const text = () => printed.mock.calls.flat().join("\n");

describe("an error that nobody expects", () => {
  it.each([new TypeError("x is not a function"), new RangeError("too deep"), "a text", undefined])(
    "%s is one of the program, without a trace",
    (error) => {
      expect(report(error)).toBe(1);
      expect(text()).toMatch(/^unexpected error: .+\nA defect of this program: report it/);
      expect(text()).not.toMatch(/^ +at /m);
    },
  );

  it("shows where it comes from to who asks for it", () => {
    vi.stubEnv("OSLO_CLUSTER_TRACE", "1");
    report(new TypeError("x"));
    expect(text()).toMatch(/^ +at /m);
  });
});

it("what a program of this machine says is no defect of this one", async () => {
  const refused = await output(["sh", "-c", "echo no route to cp-1 >&2; exit 255"]).catch((e) => e);
  const missing = await output(["oslo-cluster-has-no-such-program"]).catch((e) => e);
  expect([report(refused), report(missing)]).toEqual([1, 1]);
  expect(printed.mock.calls).toEqual([
    ["no route to cp-1"],
    ["oslo-cluster-has-no-such-program: not on PATH; install it on this machine"],
  ]);
});

it("an error of the person's is its message alone", () => {
  expect(report(new UserError("write this"))).toBe(1);
  expect(report(new UsageError("not both"))).toBe(2);
  expect(printed.mock.calls).toEqual([["write this"], ["not both"]]);
});

it.each([
  new UserError("cp-1: \u001b[2K\u001b[1Aall is well\nsecond line"),
  new TypeError("cp-1: \u001b[2K\u001b[1Aall is well\nsecond line"),
])("what a machine says rewrites no line of the terminal: %s", (error) => {
  report(error);
  expect(text()).toContain("cp-1: \\u{1b}[2K\\u{1b}[1Aall is well\nsecond line");
});
