import { defineConfig } from "vitest/config";

const minutes = 60_000;

export default defineConfig({
  test: {
    projects: [
      // Seconds, anywhere: no root, no network, no engine.
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          sequence: { groupOrder: 0 },
        },
      },
      // The real thing, once and one file after the other: they share one lab.
      {
        test: {
          name: "lab",
          include: ["test/lab/**/*.e2e.ts"],
          testTimeout: 60 * minutes,
          hookTimeout: 60 * minutes,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
