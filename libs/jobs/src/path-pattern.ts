/**
 * Patterns of paths, as a shell has them: POSIX.1-2017, XCU, section 2.13, in the POSIX locale. Matching takes no more steps
 * than the lengths of pattern and name multiplied, which regular expressions do not promise.
 */

type Test = (character: string) => boolean;
type Token = Test | '*';

/** One part of a path. */
export interface NamePattern {
  readonly tokens: readonly Token[];
  /** A name that begins with a dot must be asked for by that. */
  readonly takesHidden: boolean;
}

/** Where a pattern begins to be one, and what the names below that must be like. */
export interface PathPattern {
  /** Absolute; "/" where the first part of the path is a pattern. */
  readonly directory: string;
  readonly names: readonly [NamePattern, ...NamePattern[]];
}

/** Of the POSIX locale. */
const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /^[A-Za-z0-9]$/,
  alpha: /^[A-Za-z]$/,
  blank: /^[ \t]$/,
  // eslint-disable-next-line no-control-regex -- they are the class
  cntrl: /^[\0-\x1f\x7f]$/,
  digit: /^[0-9]$/,
  graph: /^[!-~]$/,
  lower: /^[a-z]$/,
  print: /^[ -~]$/,
  punct: /^[!-/:-@[-`{-~]$/,
  space: /^[ \t\n\v\f\r]$/,
  upper: /^[A-Z]$/,
  xdigit: /^[A-Fa-f0-9]$/,
};

export function hasWildcards(path: string): boolean {
  return /[*?[]/.test(path);
}

/**
 * The last part is a pattern in any case, though it may match one name alone.
 * @example pathPattern('/out/run-*' + '/a.txt') // { directory: '/out', names: [run-*, a.txt] }
 */
export function pathPattern(path: string): PathPattern {
  const parts = path.split('/');
  const found = parts.findIndex((part) => hasWildcards(part) || part.includes('\\'));
  const first = found < 0 ? parts.length - 1 : found;
  const [name = '', ...others] = parts.slice(first);
  return { directory: parts.slice(0, first).join('/') || '/', names: [namePattern(name), ...others.map(namePattern)] };
}

/** Like `fnmatch` with FNM_PERIOD. */
export function matchesName(name: string, { tokens, takesHidden }: NamePattern): boolean {
  if (name.startsWith('.') && !takesHidden) return false;
  const characters = [...name];
  let at = 0;
  let token = 0;
  /** Behind the last star, and how much of the name it has taken. */
  let star: { readonly token: number; at: number } | undefined;
  while (at < characters.length) {
    const test = tokens[token];
    if (test === '*') {
      star = { token: ++token, at };
    } else if (test?.(characters[at] ?? '')) {
      at++;
      token++;
    } else if (star) {
      token = star.token;
      at = ++star.at;
    } else {
      return false;
    }
  }
  return tokens.slice(token).every((left) => left === '*');
}

export function namePattern(text: string): NamePattern {
  const characters = [...text];
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length;) {
    const character = characters[at] ?? '';
    const set = character === '[' ? bracketExpression(characters, at) : undefined;
    if (set) {
      tokens.push(set.test);
      at = set.end;
    } else if (character === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*');
      at++;
    } else if (character === '?') {
      tokens.push(() => true);
      at++;
    } else {
      const isEscape = character === '\\' && at + 1 < characters.length;
      tokens.push(literal(isEscape ? (characters[at + 1] ?? '') : character));
      at += isEscape ? 2 : 1;
    }
  }
  return { tokens, takesHidden: text.startsWith('.') || text.startsWith('\\.') };
}

function literal(expected: string): Test {
  return (character) => character === expected;
}

/** Undefined for a bracket that is never closed, and so means itself. */
function bracketExpression(characters: readonly string[], start: number): { test: Test; end: number } | undefined {
  const isNegated = characters[start + 1] === '!';
  const first = start + (isNegated ? 2 : 1);
  const tests: Test[] = [];
  for (let at = first; at < characters.length;) {
    if (characters[at] === ']' && at > first) {
      const test: Test = (character) => tests.some((each) => each(character)) !== isNegated;
      return { test, end: at + 1 };
    }
    const named = /^\[([:.=])(.+?)\1\]/su.exec(characters.slice(at, at + MAXIMUM_NAMED).join(''));
    if (named) {
      const [all, kind, name = ''] = named;
      tests.push(kind === ':' ? (character) => CLASSES[name]?.test(character) ?? false : literal(name));
      at += [...all].length;
      continue;
    }
    if (characters[at] === '\\' && at + 1 < characters.length) at++;
    const from = characters[at] ?? '';
    const end = characters[at + 2] ?? ']';
    if (characters[at + 1] === '-' && end !== ']') {
      tests.push((character) => codeOf(from) <= codeOf(character) && codeOf(character) <= codeOf(end));
      at += 3;
    } else {
      tests.push(literal(from));
      at++;
    }
  }
  return undefined;
}

/** "[:xdigit:]" and a little more. */
const MAXIMUM_NAMED = 16;

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}
