import { describe, expect, it } from 'vitest';
import { digits, renderTable } from './table.js';

describe('renderTable', () => {
  it('aligns its columns and leaves no blanks at the ends of lines', () => {
    const table = renderTable(
      ['level', 'ns'],
      [
        ['none', '130'],
        ['syscalls', '1'],
      ],
    );
    expect(table).toBe(['level      ns', 'none      130', 'syscalls    1'].join('\n'));
    expect(renderTable(['a', 'b'], [['x', '']])).toBe('a  b\nx');
  });

  it('lets a remark follow its row', () => {
    const table = renderTable(
      ['level', 'ns'],
      [
        ['strace', '-', 'there is none'],
        ['none', '130'],
      ],
    );
    expect(table).toBe(['level    ns', 'strace    -  there is none', 'none    130'].join('\n'));
  });
});

describe('digits', () => {
  it.each([
    [127.42, '127'],
    [92345.6, '92346'],
    [1.2345, '1.23'],
    [0.0123456, '0.0123'],
    [0, '0.00'],
    [Number.NaN, '-'],
  ])('writes %d as %s', (value, text) => {
    expect(digits(value)).toBe(text);
  });
});
