import type { ResultPromise } from "execa";
import { type Answer, type Gap, longestGap } from "../api-gap.ts";

const seconds = 1000;

/** Of a machine since when it has the address, and until when: milliseconds since 1970. */
interface Interval {
  from: number;
  to: number;
}

type Process = ResultPromise<{ reject: false }>;

/** Who has an address, by the kernels' own word, and when a client asked and was answered there. */
export class Watch {
  /** Prints what `follow` reads, in the machine's network. */
  static readonly monitor = ["env", "TZ=UTC", "ip", "-ts", "-oneline", "monitor", "address"];
  private readonly held = new Map<string, Interval[]>();
  private readonly address: string;
  private answers: Answer[] = [];

  constructor(address: string) {
    this.address = address;
  }

  /**
   * Follows a machine until its monitor ends: with that the machine has no address any more.
   * @param hasIt whether it has the address as the monitor starts. @default it has not
   */
  follow(name: string, monitor: Process, hasIt = false): void {
    const intervals = this.of(name);
    const end = (at: number) => {
      const last = intervals().at(-1);
      if (last) last.to = Math.min(last.to, at);
    };
    const begin = (from: number) => {
      const last = intervals().at(-1);
      if (last === undefined || last.to < Number.POSITIVE_INFINITY)
        intervals().push({ from, to: Number.POSITIVE_INFINITY });
    };
    if (hasIt) begin(Date.now());
    lines(monitor, (line) => {
      if (!line.includes(` ${this.address}/`)) return;
      const at = Date.parse(`${line.match(/^\[([^\]]+)\]/)?.[1]}Z`);
      if (line.includes("Deleted")) end(at);
      else begin(at);
    });
    void monitor.then(() => end(Date.now()));
  }

  /** Reads what client.mjs prints. */
  ask(client: Process): void {
    lines(client, (line) => {
      const [asked = 0, answered = 0] = line.split(" ").map((text) => Number(text) / seconds);
      const at = answered || Date.now() / seconds;
      const answer: Answer = { at, seconds: at - asked, kind: "read" };
      this.answers.push(answered ? answer : { ...answer, error: "no answer" });
    });
  }

  /** Forgets what was; those who have the address now have it still. */
  forget(): void {
    this.answers = [];
    for (const [name, intervals] of this.held)
      this.held.set(
        name,
        intervals.filter(({ to }) => to > Date.now()),
      );
  }

  holders(at = Date.now()): string[] {
    return [...this.held]
      .filter(([, intervals]) => intervals.some(({ from, to }) => from <= at && at < to))
      .map(([name]) => name);
  }

  /** All that had the address, from the first on. */
  everyHolder(): string[] {
    return [...this.held].filter(([, intervals]) => intervals.length > 0).map(([name]) => name);
  }

  /** The longest time, in seconds, that two had the address. */
  together(until = Date.now()): number {
    const intervals = [...this.held.values()].flat();
    const shared = intervals.flatMap((a, i) =>
      intervals.slice(i + 1).map((b) => Math.min(a.to, b.to, until) - Math.max(a.from, b.from)),
    );
    return Math.max(0, ...shared) / seconds;
  }

  hasAnsweredSince(since: number): boolean {
    return this.answers.some(({ at, error }) => error === undefined && at * seconds > since);
  }

  /** The longest time without an answer, up to now. */
  gap(from: number): Gap {
    return longestGap(this.answers, this.answers, from / seconds, Date.now() / seconds);
  }

  private of(name: string): () => Interval[] {
    if (!this.held.has(name)) this.held.set(name, []);
    return () => this.held.get(name) as Interval[];
  }
}

function lines({ stdout }: Process, take: (line: string) => void): void {
  let rest = "";
  stdout?.on("data", (text) => {
    const all = (rest + String(text)).split("\n");
    rest = all.pop() ?? "";
    for (const line of all) take(line);
  });
}
