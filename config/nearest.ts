/** The word that was probably meant: the one that few changes of letters away is nearest; undefined where none is. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  const most = word.length < 5 ? 1 : word.length < 9 ? 2 : 3;
  let best: string | undefined;
  let least = most + 1;
  for (const one of known) {
    const changes = one.toLowerCase() === word.toLowerCase() ? 0 : distance(word, one, least);
    if (changes >= least) continue;
    [best, least] = [one, changes];
  }
  return best;
}

/** Letters that are put in, taken out, changed or swapped with the next one (optimal string alignment). */
function distance(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let [before, last]: [number[], number[]] = [
    [],
    Array.from({ length: b.length + 1 }, (_, i) => i),
  ];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (last[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const moved = Math.min(changed, (last[j] as number) + 1, (row[j - 1] as number) + 1);
      const swaps = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = swaps ? Math.min(moved, (before[j - 2] as number) + 1) : moved;
    }
    [before, last] = [last, row];
  }
  return last[b.length] as number;
}
