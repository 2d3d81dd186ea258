import * as pulumi from "@pulumi/pulumi";
import runtime from "@pulumi/pulumi/runtime/state.js";
import { afterEach, expect, it } from "vitest";
import { quietenSdk } from "../../components/sdk.ts";

const { debug } = pulumi.log;
const { prepareStackTrace } = Error;
const { stackTrace, callsites } = pulumi.Resource as unknown as Record<
  "stackTrace" | "callsites",
  (skip: number) => unknown[]
>;
afterEach(() => {
  Object.assign(pulumi.log, { debug });
  Error.prepareStackTrace = prepareStackTrace as never;
  Object.assign(pulumi.Resource, { callsites });
});

/** Apart from what other tests make; the SDK keeps its type to itself. */
const { withLocalStorage: inOwnStore, getStore } = runtime as unknown as {
  withLocalStorage: <T>(work: () => T) => T;
  getStore: () => { settings: object };
};

/** How many messages the engine gets while a resource is made. */
function messages(): Promise<number> {
  return inOwnStore(async () => {
    let count = 0;
    const log = (_: unknown, taken: () => void) => {
      count += 1;
      taken();
    };
    const newResource = ({ name }: { name: string }) => ({ id: name, state: {} });
    await pulumi.runtime.setMocks({ newResource, call: () => ({}) });
    Object.assign(getStore().settings, { engine: { log } });
    const made = new pulumi.ComponentResource("test:index:Some", "some");
    await new Promise((resolve) => made.urn.apply(resolve));
    // Messages wait in one queue.
    await pulumi.log.info("the last");
    return count - 1;
  });
}

it("the engine gets no debug message for a resource, unless it is asked for", async () => {
  expect(await messages()).toBeGreaterThan(0);
  quietenSdk({ OSLO_CLUSTER_DEBUG: "1" });
  expect(await messages()).toBeGreaterThan(0);
  quietenSdk({});
  expect(await messages()).toBe(0);
});

it("positions in traces are those of the source, and looked up nowhere", () => {
  Error.prepareStackTrace = () => "looked up";
  expect(new Error("one").stack).toBe("looked up");
  quietenSdk({});
  expect(new Error("one").stack).toContain("sdk.test.ts:");
});

it("no place in the program is saved with a resource", () => {
  expect(stackTrace(0).length).toBeGreaterThan(0);
  quietenSdk({});
  expect(stackTrace(0)).toEqual([]);
});
