import { readFileSync } from 'node:fs';
import { ERROR_CATALOGUE } from '#lib/jobs';
import { describe, expect, it } from 'vitest';
import { PorinError, STATUS_BY_CODE, STATUS_OF_JOB_ERRORS, STATUS_OF_REQUEST_ERRORS } from './porin-error.js';

describe('the errors of the API', () => {
  it('are documented with their status, all of them and no others', () => {
    const text = readFileSync('docs/api.md', 'utf8');
    const documented = [...text.matchAll(/^\| `([a-z-]+)` \| (\d+) \|/gm)].map(([, code, status]) => [
      code,
      Number(status),
    ]);
    expect(documented.sort()).toEqual(Object.entries(STATUS_BY_CODE).sort());
  });

  it('are defined once: a code that jobs end with too has its words from their catalogue', () => {
    const both = Object.keys(STATUS_BY_CODE).filter((code) => code in ERROR_CATALOGUE);
    expect(both.sort()).toEqual(Object.keys(STATUS_OF_JOB_ERRORS).sort());
    expect(Object.keys(STATUS_OF_REQUEST_ERRORS).filter((code) => code in STATUS_OF_JOB_ERRORS)).toEqual([]);
    const error = PorinError.of('image-invalid', { image: '"a b"', detail: 'it has a space.' });
    expect(error).toMatchObject({ code: 'image-invalid', status: 422 });
    expect(error.message).toBe('The image "a b" is not a valid image reference: it has a space.');
    // @ts-expect-error the constructor would give the code a second sentence
    void new PorinError('image-invalid', 'That is no image.');
  });
});
