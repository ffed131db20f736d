/** What a task may ask of Porin alone: the backend parameters, whose names are as good in any case. */

export const BACKEND_PARAMETERS = [
  /** The application to run, in the place of the executor's image; the command is appended to its prefix. */
  'porin_application',
  'porin_enforcement',
  'porin_monitoring',
  'porin_priority',
  /** Names, separated by commas. */
  'porin_secrets',
  'porin_wall_time_s',
] as const;
export type BackendParameter = (typeof BACKEND_PARAMETERS)[number];

export interface ReadParameters {
  readonly supported: Readonly<Partial<Record<BackendParameter, string>>>;
  /** As they were written. */
  readonly unsupported: readonly string[];
  /** Names that were given a second time, in another case. */
  readonly repeated: readonly string[];
}

export function readParameters(given: Readonly<Record<string, string>>): ReadParameters {
  const supported: Partial<Record<BackendParameter, string>> = {};
  const unsupported: string[] = [];
  const repeated: string[] = [];
  for (const [written, value] of Object.entries(given)) {
    const name = BACKEND_PARAMETERS.find((each) => each === written.toLowerCase());
    if (name === undefined) unsupported.push(written);
    else if (supported[name] !== undefined) repeated.push(written);
    else supported[name] = value;
  }
  return { supported, unsupported, repeated };
}
