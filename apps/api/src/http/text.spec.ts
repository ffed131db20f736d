import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { document, instant, integerParameter, text, textRecord } from './text.js';

const accepts = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success;

describe('text that can be stored', () => {
  it.each(['', 'plain', 'tab\tand\nline', '\u{1F9EC}', '\uFFFD', '\u0001', 'e\u0301'])('is %j', (value) => {
    expect(accepts(text(20), value)).toBe(true);
    expect(accepts(document(), { member: [value] })).toBe(true);
  });

  it.each(['a\0b', '\uD800', 'a\uDFFFb', '\uDC00\uD800'])('is not %j, as a value or as a name', (value) => {
    expect(accepts(text(20), value)).toBe(false);
    expect(accepts(textRecord({ name: text(9), value: text(9) }), { member: value })).toBe(false);
    expect(accepts(textRecord({ name: text(9), value: text(9) }), { [value]: 'x' })).toBe(false);
    expect(accepts(document(), { deep: [{ [value]: 1 }] })).toBe(false);
    expect(accepts(document(), { deep: [{ a: [value] }] })).toBe(false);
  });

  it('is bounded', () => {
    expect(accepts(text(3), 'abcd')).toBe(false);
  });
});

describe('records of text', () => {
  const record = z.strictObject({ tags: textRecord({ name: text(20), value: text(3), maximum: 4 }) });

  it('keep every name', () => {
    const given = '{"__proto__":"a","constructor":"b","prototype":"c","toString":"d"}';
    const { tags } = record.parse({ tags: JSON.parse(given) });
    expect(JSON.stringify(tags)).toBe(given);
    expect(Object.getPrototypeOf(tags)).toBe(Object.prototype);
  });

  it('bound names, values and members', () => {
    expect(accepts(record, { tags: { a: 'long' } })).toBe(false);
    expect(accepts(record, { tags: { a: 1 } })).toBe(false);
    expect(accepts(record, { tags: JSON.parse('{"__proto__":{"a":"b"}}') })).toBe(false);
    expect(accepts(record, { tags: { a: '', b: '', c: '', d: '', e: '' } })).toBe(false);
    for (const value of [null, [], 'text', 1]) expect(accepts(record, { tags: value })).toBe(false);
  });
});

describe('points in time', () => {
  it.each(['2026-01-31T00:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999-23:59'])(
    'are %s',
    (value) => {
      expect(instant().parse(value)).toBeInstanceOf(Date);
    },
  );

  it.each(['2026-02-30T00:00:00Z', '2026-01-01', '2026-01-01T24:00:01Z', '+275760-09-13T00:00:00Z', 'now', '', '\0'])(
    'are not %j',
    (value) => {
      expect(accepts(instant(), value)).toBe(false);
    },
  );
});

describe('whole numbers in a query', () => {
  it.each(['1', '10', '007'])('are %j', (value) => {
    expect(accepts(integerParameter(1, 10), value)).toBe(true);
  });

  it.each(['', ' ', '0', '11', '1.0', '0x1', '1e0', '-1', '١', '99999999999999999999', ['1']])(
    'are not %j',
    (value) => {
      expect(accepts(integerParameter(1, 10), value)).toBe(false);
    },
  );
});
