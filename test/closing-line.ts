import type { Reporter, TestModule } from "vitest/node";

/** From when to when, in milliseconds. */
interface Span {
  start: number;
  end: number;
}

/**
 * Ends a run's output on how long each part took, of the end-to-end tests by file, and on `N passed, N failed,
 * N skipped`; says why each skipped test was skipped.
 */
export default class ClosingLine implements Reporter {
  private readonly parts = new Map<string, Span>();

  onTestModuleStart(module: TestModule): void {
    const part = partOf(module);
    if (!this.parts.has(part)) this.parts.set(part, { start: performance.now(), end: 0 });
  }

  onTestModuleEnd(module: TestModule): void {
    const span = this.parts.get(partOf(module));
    if (span !== undefined) span.end = performance.now();
  }

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
    for (const [part, { start, end }] of this.parts) {
      console.log(`${((end - start) / 1000).toFixed(1).padStart(8)} s  ${part}`);
    }
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  }
}

function partOf({ project, relativeModuleId }: TestModule): string {
  return project.name === "unit" ? "unit tests" : relativeModuleId;
}
