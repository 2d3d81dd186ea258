/** Prints how long something took. */
export async function timed(what: string, work: Promise<unknown>): Promise<void> {
  const start = performance.now();
  await work;
  console.log(`${what}: ${Math.round((performance.now() - start) / 1000)} s`);
}
