import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { STATUS_BY_CODE } from './porin-error.js';

describe('the errors of the API', () => {
  it('are documented with their status, all of them and no others', () => {
    const text = readFileSync('docs/api.md', 'utf8');
    const documented = [...text.matchAll(/^\| `([a-z-]+)` \| (\d+) \|/gm)].map(([, code, status]) => [
      code,
      Number(status),
    ]);
    expect(documented.sort()).toEqual(Object.entries(STATUS_BY_CODE).sort());
  });
});
