import { quote } from "../../steps/ssh/arguments.ts";
import { UserError } from "../command.ts";
import { type Asked, archive, ask, type ControlPlane, type KeyState } from "./nodes.ts";

/** What a rotation is to do. */
export interface Outlook {
  /** The key that all will be encrypted with. */
  key: string;
  /** What is left to do, a line each. */
  steps: string[];
}

/**
 * What a rotation has to do, by what the nodes have: the first of several names is never trusted, for a
 * run may have been killed anywhere. One name everywhere that every API server has loaded: a new rotation. Pure.
 */
export function outlook(asked: readonly { plane: { name: string }; state: KeyState }[]): Outlook {
  const inUse = [...new Set(asked.flatMap(({ state }) => state.keys))];
  const isDropped = inUse.length === 1;
  const underWay = !isDropped || asked.some(({ state }) => !state.loaded);
  const known = asked.flatMap(({ state }) => [...state.keys, ...state.kept]);
  const numbers = (names: readonly string[]) =>
    names.flatMap((name) => [...name.matchAll(/key(\d+)/g)].map(([, number]) => Number(number)));
  const key = underWay
    ? `key${Math.max(...numbers(inUse))}`
    : `key${Math.max(0, ...numbers(known)) + 1}`;
  if (isDropped && underWay) {
    return {
      key,
      steps: [`the rotation to ${key} is at its end: every API server is to load it alone`],
    };
  }
  const old = inUse.filter((name) => name !== key).join(", ");
  const where = (needs: (state: KeyState) => boolean) =>
    asked.filter(({ state }) => needs(state)).map(({ plane }) => plane.name);
  const lacking = where(({ keys }) => !keys.includes(key));
  const behind = where(({ keys }) => keys[0] !== key);
  return {
    key,
    steps: [
      underWay
        ? `a rotation to ${key} is under way, and is taken up:`
        : `a new rotation, from ${old} to ${key}; nothing restarts:`,
      ...(lacking.length > 0 ? [`add ${key} on ${lacking.join(", ")}, for reading`] : []),
      ...(behind.length > 0
        ? [`encrypt with ${key} on ${behind.join(", ")}, once every API server has loaded it`]
        : []),
      `write every Secret again that ${key} does not encrypt, once every API server uses it`,
      `drop ${old} everywhere, once etcd's raw data has ${key} alone; it stays in ${archive}, for root`,
    ],
  };
}

/**
 * Rotates the key that encrypts Secrets in etcd, in the order that several API servers need: at no time
 * does one write what another cannot read. A run that was killed is taken up by the next one.
 * @param key What all is to be encrypted with; see outlook.
 * @returns objects in etcd by key, the files of former keys, and the duration in seconds
 */
export async function rotate(
  planes: readonly ControlPlane[],
  { key, say }: { key: string; say: (line: string) => void },
): Promise<{ census: Record<string, number>; kept: string[]; seconds: number }> {
  const start = performance.now();
  const [speaker] = planes;
  if (speaker === undefined) throw new UserError("no control plane");
  await add(planes, key, say);
  await loaded(planes, say);
  for (const { plane, state } of await ask(planes)) {
    if (state.keys[0] === key) continue;
    await plane.run("encryption", "first", key);
    say(`${plane.name}: encrypts with ${key}`);
  }
  await loaded(planes, say);
  const said = (await speaker.run("encryption", "rewrite", key)).trim();
  say(`${speaker.name}: ${said.split("\n").at(-1) || "nothing to write again"}`);
  for (const { plane, state } of await ask(planes)) {
    if (state.keys.length === 1) continue;
    await plane.run("encryption", "drop", key);
    say(`${plane.name}: dropped ${state.keys.filter((name) => name !== key).join(", ")}`);
  }
  await loaded(planes, say);
  const census = JSON.parse(await speaker.run("encryption", "census")) as Record<string, number>;
  const others = Object.entries(census).filter(([name]) => name !== key);
  if (others.length > 0)
    throw new UserError(`not done: etcd has ${JSON.stringify(census)}; run the command again`);
  const kept = (await ask(planes)).flatMap(({ plane, state }) =>
    state.kept.map((file) => `${plane.name}:${archive}/${file}`),
  );
  return { census, kept, seconds: Math.round((performance.now() - start) / 1000) };
}

/** Behind the keys in use: nothing is encrypted with it yet. */
async function add(
  planes: readonly ControlPlane[],
  key: string,
  say: (line: string) => void,
): Promise<void> {
  const asked = await ask(planes);
  const has = ({ state }: Asked) => state.keys.includes(key);
  let giver = asked.find(has)?.plane;
  for (const { plane } of asked.filter((one) => !has(one))) {
    if (giver === undefined) {
      await plane.run("encryption", "make", key);
      giver = plane;
      say(`${plane.name}: made ${key}`);
    } else {
      const pipeline = giver.command("encryption", "give", key).map(quote).join(" ");
      await plane.feed(pipeline, "encryption", "receive", key);
      say(`${plane.name}: received ${key} from ${giver.name}`);
    }
  }
}

/** By the word of every API server's own metrics. */
async function loaded(planes: readonly ControlPlane[], say: (line: string) => void): Promise<void> {
  await Promise.all(planes.map((plane) => plane.run("encryption", "loaded")));
  say("loaded by every API server");
}
