/** Turns an environment into a typed, frozen configuration, or lists all that is wrong with it at once. */
import { type z } from 'zod';
import { apiVariables, dispatcherVariables, workerVariables } from './variables.js';

export type ApiConfig = Readonly<z.infer<typeof apiVariables>>;
export type DispatcherConfig = Readonly<z.infer<typeof dispatcherVariables>>;
export type WorkerConfig = Readonly<z.infer<typeof workerVariables>>;

export class ConfigError extends Error {
  readonly code = 'configuration';
  constructor(readonly problems: readonly string[]) {
    super(
      `The environment has ${problems.length} problem(s):\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    );
  }
}

export function loadApiConfig(environment: NodeJS.ProcessEnv): ApiConfig {
  return load(apiVariables, environment);
}

export function loadDispatcherConfig(environment: NodeJS.ProcessEnv): DispatcherConfig {
  return load(dispatcherVariables, environment);
}

export function loadWorkerConfig(environment: NodeJS.ProcessEnv): WorkerConfig {
  return load(workerVariables, environment);
}

function load<Schema extends z.ZodObject>(schema: Schema, environment: NodeJS.ProcessEnv): Readonly<z.infer<Schema>> {
  // An empty variable means "not set", as in a compose file's `NAME=`.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const known = new Set(Object.keys(schema.shape));
  const result = schema.safeParse(given);
  // The value itself is never printed: it may be a password.
  if (!result.success) {
    throw new ConfigError(
      result.error.issues.map((issue) => {
        const name = String(issue.path[0]);
        return `${name}: ${known.has(name) && given[name] === undefined ? 'is not set' : issue.message}`;
      }),
    );
  }
  return Object.freeze(result.data);
}
