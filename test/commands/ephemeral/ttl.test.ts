import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../../commands/ephemeral/ttl.ts";

const hour = 3_600_000;

describe("a length of time", () => {
  it.each([
    ["90m", 1.5 * hour],
    ["4h", 4 * hour],
    ["1d12h", 36 * hour],
    ["30d", 720 * hour],
  ])("%s", (text, milliseconds) => expect(parseDuration("--ttl", text)).toBe(milliseconds));

  it.each(["", "4", "h", "4 h", "-4h", "4h ", "0m", "31d", "1.5h", "4H", "1s"])(
    "refuses %j",
    (text) => {
      expect(() => parseDuration("--ttl", text)).toThrow(/^--ttl: .*: .+; write 1m to 30d/);
    },
  );

  it.each([
    [0, "0m"],
    [59_000, "0m"],
    [4 * hour - 1, "3h59m"],
    [4 * hour, "4h"],
    [49.5 * hour, "2d1h"],
  ])("%d ms is shown as %s", (milliseconds, text) =>
    expect(formatDuration(milliseconds)).toBe(text),
  );
});
