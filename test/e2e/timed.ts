/** Prints how long something took. */
export async function timed<T>(what: string, work: Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work;
  console.log(`${what}: ${Math.round((performance.now() - start) / 1000)} s`);
  return result;
}
