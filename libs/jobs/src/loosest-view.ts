/** The path of an `http(s):` URL as the most lenient of all servers reads it: two URLs that one of them takes for one place are equal. */

/** Decoding more often than this finds nothing that a server would decode. */
const MAXIMUM_DECODINGS = 8;
const SLASH = /[/\\]/;

/** With path parameters: "..;" of servlet containers. */
const DOT_PART = /(?:^|[/\\])\.\.?(?:;|[/\\]|$)/;
export const DOT_PARTS = 'must not contain the parts "." or "..", escaped ones included';

/** Why servers could read the path in ways of which none is the most lenient; null when they cannot. */
export function ambiguityProblem(path: string): string | null {
  const stages = decodings(path);
  if (stages === null || stages.some((stage) => stage.includes('\0') || DOT_PART.test(stage))) return DOT_PARTS;
  return stages.some(hidesSlash) ? 'must not contain an escaped slash behind ";"' : null;
}

/**
 * Slashes and backslashes are one and may be repeated, escapes are decoded as often as it can be done, and path parameters
 * are cut. Each part of the text gives parts of its own, so what lies below a place does so here too. Bytes are characters.
 * Example: `/a%2F/b;v=1` is `a`, `b`.
 */
export function loosestParts(path: string): readonly string[] {
  const decoded = decodings(path)?.at(-1) ?? path;
  return decoded
    .replace(/;[^/\\]*/g, '')
    .split(SLASH)
    .filter((part) => part !== '');
}

/** Servers that cut path parameters before they decode see other parts than those that decode first. */
function hidesSlash(stage: string): boolean {
  const parameters = stage.match(/;[^/\\]*%[^/\\]*/g) ?? [];
  return parameters.some((text) => SLASH.test(decodings(text)?.at(-1) ?? ''));
}

/** The text, and what it is after every decoding; null where there is no end of them. */
function decodings(text: string): readonly string[] | null {
  const stages = [text];
  for (let last = text; stages.length <= MAXIMUM_DECODINGS + 1;) {
    const decoded = last.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    if (decoded === last) return stages;
    stages.push(decoded);
    last = decoded;
  }
  return null;
}
