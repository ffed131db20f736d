/** An error of the catalogue with its details filled in. */
import { visible } from '#lib/profiles';
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

/** Details that are words: whoever makes them has passed the names in them through `shownName`. All others are names. */
const WORDS: ReadonlySet<string> = new Set(['detail', 'published']);

function formatMessage(template: string, details: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (_placeholder, name: string) => {
    const value = String(details[name]);
    if (WORDS.has(name)) return value;
    return shownName(name === 'url' ? redactUrl(value) : value);
  });
}

/** Of a name that a message shows whole, characters as they are shown. */
const NAME_CHARACTERS = 1000;

/**
 * A name that a payload, a submitter, an image or a server chose, for a message: every character of it shows, and of one that is
 * too long its beginning and its end.
 * @example shownName('/out/a\n') // "/out/a\u{a}"
 */
export function shownName(name: string): string {
  const whole = visible(name);
  if (whole.length <= NAME_CHARACTERS) return whole;
  // One by one, so that no escape is cut in two.
  const characters = Array.from(name, visible);
  return `${beginning(characters).join('')}...${beginning(characters.reverse()).reverse().join('')}`;
}

function beginning(characters: readonly string[]): string[] {
  let length = 0;
  return characters.filter((character) => (length += character.length) <= NAME_CHARACTERS / 2);
}

/** Paths that a message names, at most. */
const NAMED = 10;

/** For messages. */
export function describePaths(paths: readonly string[]): string {
  if (paths.length === 0) return 'none';
  const more = paths.length - NAMED;
  return `${paths.slice(0, NAMED).map(shownName).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
