/** How commands read what their options say. */

/** Told with the help of the command; its exit code is 2. */
export class UsageError extends Error {}

/** Undefined where the option was not given. @throws UsageError */
export function wholeNumber(
  option: string,
  text: string | undefined,
  minimum: number,
  maximum: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new UsageError(`${option} must be a whole number from ${minimum} to ${maximum}`);
}

/** What `parseArgs` of node:util makes of them. @throws UsageError */
export function parsedBy<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
