import { Client } from "./ask.ts";
import type { Backends } from "./backends.ts";
import { startEnvoy } from "./envoy.ts";
import { judge } from "./judge.ts";
import type { written } from "./operator.ts";
import type { Row } from "./rows.ts";

/**
 * Rows that are not as the stack's file says, each with what is. Shares are counted once everything
 * else is as expected: until then the operator has more to write.
 *
 * @param expected those that are to be red
 */
export async function redRows(
  { gateways, certificates }: Awaited<ReturnType<typeof written>>,
  rows: readonly Row[],
  backends: Backends,
  expected: readonly string[],
): Promise<Record<string, string>> {
  const red: Record<string, string> = {};
  const envoys = await Promise.all(
    gateways.map(async ({ gateway, resources }) => {
      try {
        const envoy = await startEnvoy(resources, certificates, backends.portOf);
        return { gateway, envoy, client: new Client(envoy.port) };
      } catch (error) {
        return { gateway, refused: String(error) };
      }
    }),
  );
  try {
    for (const counted of [false, true]) {
      for (const row of rows) {
        const { client, refused = "its gateway is not there" } =
          envoys.find(({ gateway }) => gateway === row.gateway) ?? {};
        const difference = client ? await judge(row, client, counted).catch(String) : refused;
        if (difference !== undefined) red[row.what] = difference;
      }
      if (Object.keys(red).some((what) => !expected.includes(what))) break;
    }
  } finally {
    for (const { envoy, client } of envoys) {
      client?.close();
      await envoy?.stop();
    }
  }
  return red;
}
