import { poolTemplate } from "./template.ts";

/** Milliseconds. */
export const hour = 3_600_000;

/** What the tests ask of `up`: four machines for four hours. */
export const wish = (name: string, template = poolTemplate({}, 4)) => ({
  ...{ name, template, owner: "kari" },
  ...{ ttl: 4 * hour, seconds: 3600 },
});

/** What they ask of `down`. */
export const end = (name: string, abandon: string[] = []) => ({ name, abandon, seconds: 1800 });
