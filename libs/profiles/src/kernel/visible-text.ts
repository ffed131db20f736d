/**
 * The one way in which a text that a payload, a submitter or an image chose is written where people read it: every character
 * shows, and no two texts look alike for want of one that does.
 */

/**
 * Controls, marks of format and direction, separators but the space, code points without a character, those that are drawn
 * as nothing (Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt), halves of a surrogate pair, and the blanks
 * that Unicode counts among letters, marks and symbols: BRAILLE PATTERN BLANK, KHITAN SMALL SCRIPT FILLER and MUSICAL SYMBOL
 * NULL NOTEHEAD.
 */
const INVISIBLE = String.raw`(?! )(?:\p{C}|\p{Z}|\p{Default_Ignorable_Code_Point}|\u{2800}|\u{16fe4}|\u{1d159})`;
const ANY_INVISIBLE = new RegExp(INVISIBLE, 'u');
const EVERY_INVISIBLE = new RegExp(INVISIBLE, 'gu');
const INVISIBLE_OR_ESCAPE = new RegExp(String.raw`\\|${INVISIBLE}`, 'gu');

/** Whether a character of the text would not show. */
export function hasInvisible(text: string): boolean {
  return ANY_INVISIBLE.test(text);
}

/**
 * What does not show as `\u{<hexadecimal>}`, and so that this is told from a text that has it letter by letter, a backslash
 * doubled.
 *
 * @example visible('/in/a\u3164b') // "/in/a\u{3164}b"
 */
export function visible(text: string): string {
  return text.replace(INVISIBLE_OR_ESCAPE, (character) =>
    character === '\\' ? '\\\\' : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/**
 * A line of JSON in which every character shows, and which means the same.
 * @example visibleJson('{"path":"a\u202eb"}') // '{"path":"a\\u202eb"}'
 */
export function visibleJson(line: string): string {
  return line.replace(EVERY_INVISIBLE, (character) => (character === '\n' ? character : unitsOf(character)));
}

function unitsOf(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }).join('');
}

/** The same as `visible` between quotation marks, with those inside it escaped by a backslash. */
export function quoted(text: string): string {
  return `"${visible(text).replaceAll('"', '\\"')}"`;
}
