/** Looks through JSON text before it is parsed: bounds how deep and how many its values are, and that no name is given twice. */

/** Of arrays and objects in one another. A job needs 5 of them, a seccomp document 6. */
export const DEPTH_MAXIMUM = 32;
/** Elements and members together. The largest job that keeps to its bounds has about 45 000. */
export const VALUES_MAXIMUM = 65_536;

export interface JsonProblem {
  readonly kind: 'too-complex' | 'repeated-name';
  readonly message: string;
}

/** Characters of a name that a message shows. */
const NAME_SHOWN = 64;
const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [BRACE, END_BRACE, BRACKET, END_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * Null where nothing is wrong; text that is no JSON is for JSON.parse to refuse. Takes time linear in the text, whatever it
 * holds.
 */
export function jsonProblem(text: string): JsonProblem | null {
  /** The names of each object that is open; null for an array. */
  const open: (Set<string> | null)[] = [];
  let values = 0;
  let nameNext = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at);
        const names = nameNext ? open.at(-1) : null;
        if (names && !addName(names, text.slice(at, end + 1))) return repeated(text.slice(at + 1, end));
        nameNext = false;
        at = end;
        break;
      }
      case BRACE:
      case BRACKET:
        nameNext = text.charCodeAt(at) === BRACE;
        open.push(nameNext ? new Set() : null);
        values++;
        if (open.length > DEPTH_MAXIMUM) return tooComplex(`is nested more than ${DEPTH_MAXIMUM} levels deep`);
        break;
      case END_BRACE:
      case END_BRACKET:
        open.pop();
        nameNext = false;
        break;
      case COMMA:
        values++;
        nameNext = open.at(-1) instanceof Set;
    }
    if (values > VALUES_MAXIMUM) return tooComplex(`has more than ${VALUES_MAXIMUM} elements and members`);
  }
  return null;
}

/** Where the closing quote is; the text's end where there is none. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    at += code === BACKSLASH ? 2 : 1;
  }
  return text.length;
}

/** False where the object has it already. One name may be escaped in many ways. */
function addName(names: Set<string>, quoted: string): boolean {
  const name = quoted.includes('\\') ? unescaped(quoted) : quoted;
  if (names.has(name)) return false;
  names.add(name);
  return true;
}

/** In its plain spelling, quoted. */
function unescaped(quoted: string): string {
  try {
    return `"${JSON.parse(quoted) as string}"`;
  } catch {
    return quoted;
  }
}

function repeated(name: string): JsonProblem {
  return { kind: 'repeated-name', message: `one object has the name "${name.slice(0, NAME_SHOWN)}" twice` };
}

function tooComplex(what: string): JsonProblem {
  return { kind: 'too-complex', message: `The body ${what}.` };
}
