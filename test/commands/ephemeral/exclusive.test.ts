import { beforeEach, describe, expect, it } from "vitest";
import { down } from "../../../commands/ephemeral/down.ts";
import { up } from "../../../commands/ephemeral/up.ts";
import { FakeBackend, fakeContext } from "./fakes.ts";
import { end, wish } from "./requests.ts";

let backend: FakeBackend;
let context: ReturnType<typeof fakeContext>;
beforeEach(() => {
  backend = new FakeBackend();
  context = fakeContext(backend);
});

describe("one at a time for a name", () => {
  it("on this machine", async () => {
    context.held.add("a");
    await expect(up(context, wish("a"))).rejects.toThrow(
      /another operation on it runs on this machine/,
    );
    await up(context, wish("b"));
  });

  it("on another, until the time is over by which it was to be done", async () => {
    const other = fakeContext(backend, "runner-2");
    await up(context, wish("a"));
    backend.atRun = async () => {
      await expect(down(other, end("a"))).rejects.toThrow(
        /runner-1 is at work on it \(up\), until 2026-01-01T13:10/,
      );
    };
    await up(context, wish("a"));
    backend.atRun = () => {};
    expect(backend.asked).toEqual(["up ephemeral-a", "up ephemeral-a"]);
    await backend.setTag(
      "ephemeral-a",
      "oslo-cluster:operation",
      "up runner-1 2026-01-01T12:00:00.000Z",
    );
    expect(await down(other, end("a"))).toEqual([]);
    expect(backend.asked.slice(2)).toEqual([
      "unlock ephemeral-a",
      "objects",
      "destroy ephemeral-a",
    ]);
  });

  it("a killed run's lock is broken once its engine has ended, and not before", async () => {
    await up(context, wish("a"));
    await backend.setTag(
      "ephemeral-a",
      "oslo-cluster:operation",
      "up runner-1 2026-01-01T15:00:00.000Z",
    );
    context.locks.engineEnds = async () => false;
    await expect(down(context, end("a"))).rejects.toThrow(
      /engine of a run that was killed is at work/,
    );
    expect(backend.asked).not.toContain("unlock ephemeral-a");
    context.locks.engineEnds = async () => true;
    expect(await down(context, end("a"))).toEqual([]);
  });

  it("what the engine of a run that ended has started is waited for, and no lock broken", async () => {
    await up(context, wish("a"));
    context.locks.engineEnds = async () => false;
    await expect(down(context, end("a"))).rejects.toThrow(/is at work still/);
    context.locks.engineEnds = async () => true;
    expect(await down(context, end("a"))).toEqual([]);
    expect(backend.asked).not.toContain("unlock ephemeral-a");
  });
});
