/** What a command of porin-admin is, and what commands share. */
import { makeDataSource } from '#lib/database';
import { type ParseArgsConfig } from 'node:util';
import { type EntityManager } from 'typeorm';

type Options = NonNullable<ParseArgsConfig['options']>;

export interface Command {
  /** `key create` */
  readonly words: string;
  /** Behind the words, `<id>`, in their order; all are needed. */
  readonly operands?: readonly string[];
  readonly options?: Options;
  /** A line, or more, of the help: what it does, then one for each option. */
  readonly help: readonly string[];
  /** Throws UsageError for what is missing or wrong. */
  readonly run: (given: Given) => Promise<void>;
}

export interface Given {
  readonly operands: readonly string[];
  /** The text of an option that takes one, or its default. */
  readonly text: (option: string) => string | undefined;
  readonly flag: (option: string) => boolean;
}

/** The message tells what to type instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const TENANT_OPTION = {
  tenant: { type: 'string', default: 'default' },
} as const satisfies Options;

export function environment(name: string): string {
  const value = process.env[name];
  if (!value) throw new UsageError(`${name} is not set`);
  return value;
}

/** As the role porin_api (PORIN_DATABASE_URL). */
export async function withDatabase<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
  const url = environment('PORIN_DATABASE_URL');
  const dataSource = await makeDataSource({ url, applicationName: 'porin-admin', poolSize: 1 }).initialize();
  try {
    return await work(dataSource.manager);
  } finally {
    await dataSource.destroy();
  }
}

/** Undefined where the option was not given. */
export function oneOf<T extends string>(option: string, words: readonly T[], given: string | undefined): T | undefined {
  if (given === undefined) return undefined;
  const word = words.find((known) => known === given);
  if (word === undefined) throw new UsageError(`--${option} must be one of ${words.join(', ')}`);
  return word;
}
