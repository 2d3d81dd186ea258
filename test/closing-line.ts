import type { Reporter, TestModule } from "vitest/node";

/** Ends a run's output on `N passed, N failed, N skipped`, and says why each skipped test was skipped. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      // A file that cannot be loaded has no tests, and has failed.
      count.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "pending") continue;
        count[result.state]++;
        if (result.state === "skipped") {
          console.log(`skipped: ${test.fullName}: ${result.note ?? "no reason given"}`);
        }
      }
    }
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  }
}
