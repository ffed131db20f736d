/** An error of the catalogue with its details filled in. */
import { type EndedAttemptState } from './attempt-state.js';
import { ERROR_CATALOGUE, type CatalogueEntry, type JobErrorCode } from './error-catalogue.js';

/** The names in braces of a message. */
type DetailNames<M extends string> = M extends `${string}{${infer Name}}${infer Rest}`
  ? Name | DetailNames<Rest>
  : never;

export type JobErrorDetails<C extends JobErrorCode> = Readonly<
  Record<DetailNames<(typeof ERROR_CATALOGUE)[C]['message']>, string | number>
>;

export class JobError extends Error {
  override readonly name = 'JobError';

  private constructor(
    readonly code: JobErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** The compiler holds the details to the message of the code. */
  static of<C extends JobErrorCode>(code: C, details: JobErrorDetails<C>, options?: ErrorOptions): JobError {
    return new JobError(code, errorMessage(code, details), options);
  }

  get entry(): CatalogueEntry {
    return ERROR_CATALOGUE[this.code];
  }
}

/** The catalogue's words for a code. The compiler holds the details to them. */
export function errorMessage<C extends JobErrorCode>(code: C, details: JobErrorDetails<C>): string {
  return formatMessage(ERROR_CATALOGUE[code].message, details);
}

/** How an attempt that ends by the error is recorded. */
export function attemptStateOf(code: JobErrorCode): EndedAttemptState {
  if (code === 'canceled') return 'CANCELED';
  if (code === 'lease-lost') return 'LOST';
  return code === 'node-draining' ? 'RELEASED' : 'FAILED';
}

/** A URL's user, query and fragment may be credentials, and messages reach logs: they are cut off. */
export function redactUrl(url: string): string {
  if (!URL.canParse(url)) return url.replace(/[?#].*$/s, '').replace(/\/\/[^/@]*@/, '//');
  const parsed = new URL(url);
  parsed.username = parsed.password = parsed.search = parsed.hash = '';
  return parsed.href;
}

function formatMessage(template: string, details: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (_placeholder, name: string) => {
    const value = String(details[name]);
    return name === 'url' ? redactUrl(value) : value;
  });
}

/** Paths that a message names, at most. */
const NAMED = 10;

/** For messages. */
export function describePaths(paths: readonly string[]): string {
  if (paths.length === 0) return 'none';
  const more = paths.length - NAMED;
  return `${paths.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
