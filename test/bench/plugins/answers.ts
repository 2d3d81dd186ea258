import type { Provider, Resource } from "../../lab/plugins/protocol/provider.ts";
import {
  differences,
  keepSecrets,
  unknown,
  type Values,
} from "../../lab/plugins/protocol/values.ts";

/** A provider whose every resource is made at once, and leaves what it is given and what `made` adds. */
export function answersAtOnce(
  version: string,
  made: (name: string) => Record<string, string>,
): Provider {
  const resource: Resource = {
    check: (inputs) => ({ inputs }),
    diff: (old, inputs) => [...differences(old, inputs)].map(([path, kind]) => ({ path, kind })),
    foresee: (inputs, name, old) => ({
      id: old?.id ?? name,
      outputs: old?.outputs ?? { ...inputs, ...unknowns(made(name)) },
    }),
    create: async (inputs, { name }) => ({ id: name, outputs: { ...inputs, ...made(name) } }),
    update: async (_, inputs, { name }) =>
      keepSecrets({ ...inputs, ...made(name) }, inputs) as Values,
    delete: async () => {},
  };
  return { version, diffConfig: () => [], resource: () => resource };
}

function unknowns(values: Record<string, string>): Values {
  return Object.fromEntries(Object.keys(values).map((key) => [key, unknown]));
}
