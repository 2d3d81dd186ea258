import { UsageError, UserError } from "./command.ts";

/**
 * All of several readings, in their order.
 * @throws UserError with every error at once; UsageError where all of them are.
 */
export function everyOf<T extends readonly unknown[]>(
  ...readings: { [K in keyof T]: () => T[K] }
): T {
  const errors: Error[] = [];
  const values = readings.map((read) => {
    try {
      return read();
    } catch (error) {
      errors.push(error as Error);
      return undefined;
    }
  });
  if (errors.length === 0) return values as unknown as T;
  const kind = errors.every((error) => error instanceof UsageError) ? UsageError : UserError;
  throw new kind(errors.map(({ message }) => message.trim()).join("\n"));
}
