/** What a node asks through its balancer. */
export const kinds = ["read", "write"] as const;
export type Kind = (typeof kinds)[number];

/** What a node's probe has printed: `seconds kind`, and `seconds alive`. */
export class Answers {
  private readonly times: Record<Kind | "alive", number[]> = { read: [], write: [], alive: [] };

  add(line: string): void {
    const [at, kind = ""] = line.trim().split(" ");
    if (kind in this.times) this.times[kind as Kind].push(Number(at));
  }

  /** Of each kind one was answered. */
  get began(): boolean {
    return kinds.every((kind) => this.times[kind].length > 0);
  }

  /**
   * The longest time without an answer, in seconds by the node's own clock: from the first answer to the last
   * moment at which it asked. Undefined where none was answered.
   */
  longest(kind: Kind): number | undefined {
    const times = [...this.times[kind]].sort((a, b) => a - b);
    const [first] = times;
    if (first === undefined) return undefined;
    const end = Math.max(...times, ...this.times.alive);
    const moments = [...times, end];
    return Math.max(...moments.slice(1).map((at, i) => at - (moments[i] as number)), 0);
  }
}
