import { describe, expect, it } from 'vitest';
import { hasInvisible, quoted, visible, visibleJson } from './visible-text.js';

describe('a text that people read', () => {
  it.each<[text: string, shown: string]>([
    ['/usr/lib/a b.so', '/usr/lib/a b.so'],
    ['/data/żółć 数据 😀', '/data/żółć 数据 😀'],
    ['a\u3164b', 'a\\u{3164}b'],
    ['a\u115fb', 'a\\u{115f}b'],
    ['a\u2800b', 'a\\u{2800}b'],
    ['a\u034fb', 'a\\u{34f}b'],
    ['a\u00a0b', 'a\\u{a0}b'],
    ['a\u3000b', 'a\\u{3000}b'],
    ['/usr/lib/\u202egpj.so', '/usr/lib/\\u{202e}gpj.so'],
    ['zero\u200bwidth\u200d\ufeff', 'zero\\u{200b}width\\u{200d}\\u{feff}'],
    ['\0\n\u001b[31m\u007f\u0085', '\\u{0}\\u{a}\\u{1b}[31m\\u{7f}\\u{85}'],
    ['line\u2028paragraph\u2029', 'line\\u{2028}paragraph\\u{2029}'],
    ['private \ue000 none \uffff \u{10ffff}', 'private \\u{e000} none \\u{ffff} \\u{10ffff}'],
    [
      'tag \u{e0041} selector \ufe0f blank \u{1d159}\u{16fe4}',
      'tag \\u{e0041} selector \\u{fe0f} blank \\u{1d159}\\u{16fe4}',
    ],
    ['half \ud83d and \ude00, whole 😀', 'half \\u{d83d} and \\u{de00}, whole 😀'],
    ['\\u{3164}', '\\\\u{3164}'],
  ])('is, of %j, %s', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('is never the same for two texts', () => {
    const texts = ['\u3164', '\\u{3164}', '\\\u3164', '\\\\u{3164}', '\u115f'];
    expect(new Set(texts.map(visible)).size).toBe(texts.length);
  });

  it('has quotation marks around it that nothing inside of it ends', () => {
    expect(quoted('a"b\\"\n')).toBe('"a\\"b\\\\\\"\\u{a}"');
  });

  it('means the same as a line of JSON', () => {
    const told = { path: '/a\n\x1b\x7f\u202e\u2028\u{e0041}\ud83d b\\u{a}' };
    const line = `${JSON.stringify(told)}\n`;
    expect(visibleJson(line)).toMatch(/^[ -~]+\n$/);
    expect(JSON.parse(visibleJson(line))).toEqual(told);
  });

  it('is known to have what does not show', () => {
    expect([' ', 'a\\b', '😀', '\u00a0', '\u115f', '\ud83d'].map(hasInvisible)).toEqual([
      ...[false, false, false],
      ...[true, true, true],
    ]);
  });
});
