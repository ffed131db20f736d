import { describe, expect, it } from 'vitest';
import { PreparedStatements } from './prepared-statements.js';

const names = (statements: PreparedStatements, texts: readonly string[]) =>
  texts.map((text) => statements.nameOf(text));

describe('the name of a statement', () => {
  it('is given to a text that recurs, and stays', () => {
    const statements = new PreparedStatements();
    expect(names(statements, ['SELECT 1', 'SELECT 1', 'SELECT 1', 'SELECT 1'])).toEqual([
      undefined,
      undefined,
      'porin_0',
      'porin_0',
    ]);
    expect(names(statements, ['SELECT 2', 'SELECT 2', 'SELECT 2', 'SELECT 1'])).toEqual([
      undefined,
      undefined,
      'porin_1',
      'porin_0',
    ]);
  });

  it.each(['BEGIN', 'COMMIT', 'LISTEN porin_outbox', 'SELECT 1; SELECT 2', 'SET x = 1', 'CREATE TABLE t ()'])(
    'is not given to %s',
    (text) => {
      const statements = new PreparedStatements();
      expect(names(statements, [text, text, text, text]).at(-1)).toBeUndefined();
    },
  );

  it('is given to a bounded number of texts', () => {
    const statements = new PreparedStatements();
    const last = Array.from({ length: 600 }, (_, n) => names(statements, Array(3).fill(`SELECT ${n}`)).at(-1));
    expect(last.filter((name) => name !== undefined)).toHaveLength(500);
    expect(new Set(last).size).toBe(501);
  });

  it('is not taken from a text that recurs by many that do not', () => {
    const statements = new PreparedStatements();
    for (let n = 0; n < 10_000; n++) statements.nameOf(`SELECT ${n}`);
    expect(names(statements, ['SELECT x', 'SELECT x', 'SELECT x']).at(-1)).toBe('porin_0');
  });
});
