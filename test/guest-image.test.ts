import { expect, it } from "vitest";
import { guestPackages } from "./lab/guests/packages.ts";
import { planOf } from "./stacks.ts";

// Emulated guests have no way to Debian's archive, and would take long to install what they lack.
it("the image of the lab's guests has every package that nodes install first", () => {
  const asked = planOf("libvirt").nodes.flatMap(({ steps }) =>
    String(steps.prerequisites?.vars.PACKAGES).split(" "),
  );
  expect(asked.length).toBeGreaterThan(10);
  expect(guestPackages).toEqual(expect.arrayContaining(asked));
});
