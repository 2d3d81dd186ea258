import { z } from "zod";
import { runProgram } from "../protocol/process.ts";
import { commonInputs, type Run } from "./command.ts";

export const LocalInputs = z.strictObject({
  ...commonInputs,
  dir: z.string().optional(),
  interpreter: z.array(z.string()).nonempty().default(["/bin/sh", "-c"]),
});

/** By this machine's shell, until it ends or the user interrupts. */
export const runLocal: Run<z.infer<typeof LocalInputs>> = (line, inputs, streams, { signal }) => {
  const { dir, stdin = "" } = inputs;
  const [file = "/bin/sh", ...args] = inputs.interpreter;
  const where = dir === undefined ? {} : { cwd: dir };
  return runProgram({ file, args: [...args, line], input: stdin, ...where, ...streams, signal });
};
