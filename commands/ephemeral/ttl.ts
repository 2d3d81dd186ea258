import { Refusal } from "./refusal.ts";

const minute = 60_000;
const units: Record<string, number> = { m: minute, h: 60 * minute, d: 24 * 60 * minute };
/** A cluster that is to live longer is not ephemeral. */
const longest = 30 * 24 * 60 * minute;

/**
 * How long a cluster may live, or a command may take: `90m`, `4h`, `1d12h`.
 * @returns milliseconds
 * @throws Refusal for anything else, for less than a minute and for more than thirty days.
 */
export function parseDuration(option: string, text: string): number {
  const refuse = (why: string) =>
    new Refusal(`${option}: ${text}: ${why}; write 1m to 30d, such as 90m, 4h or 1d12h`);
  if (!/^(\d+[mhd])+$/.test(text)) throw refuse("not a length of time");
  const parts = [...text.matchAll(/(\d+)([mhd])/g)];
  const sum = parts.reduce((total, [, n, unit]) => total + Number(n) * (units[unit ?? ""] ?? 0), 0);
  if (sum < minute) throw refuse("shorter than a minute");
  if (sum > longest) throw refuse("longer than thirty days");
  return sum;
}

/** Milliseconds for people, in whole minutes: `3h58m`, `2d1h`, `0m`. */
export function formatDuration(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / minute);
  const [days, hours, rest] = [
    Math.floor(minutes / 1440),
    Math.floor(minutes / 60) % 24,
    minutes % 60,
  ];
  const parts = [days && `${days}d`, hours && `${hours}h`, rest && `${rest}m`].filter(Boolean);
  return parts.slice(0, 2).join("") || "0m";
}
