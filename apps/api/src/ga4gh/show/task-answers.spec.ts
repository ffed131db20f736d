import { describe, expect, it } from 'vitest';
import { pageToken } from './page-token.js';
import { taskListQuery } from './task-answers.js';

const parsed = (query: object) => taskListQuery.parse(query);

describe('the query of a list', () => {
  it('has defaults, and passes over what it does not know and what is empty', () => {
    const defaults = { view: 'MINIMAL', pageSize: 256, tags: { exact: [], keys: [] } };
    expect(parsed({})).toEqual(defaults);
    const empty = { view: '', state: '', name_prefix: '', page_size: '', page_token: '', key: 'of a portal' };
    expect(parsed(empty)).toEqual(defaults);
    expect(parsed({ page_size: '0' })).toEqual(defaults);
  });

  it.each([
    [{ tag_key: 'a' }, [], ['a']],
    [{ tag_key: 'a', tag_value: 'b' }, [{ a: 'b' }], []],
    [{ tag_key: 'a', tag_value: '' }, [], ['a']],
    [{ tag_key: ['a', 'b', 'c'], tag_value: ['', 'x'] }, [{ b: 'x' }], ['a', 'c']],
    [{ tag_key: ['a', 'a', 'a'], tag_value: ['x', '', 'y'] }, [{ a: 'x' }, { a: 'y' }], ['a']],
    [{ tag_key: ['__proto__'], tag_value: ['x'] }, JSON.parse('[{"__proto__": "x"}]'), []],
  ])('zips %j', (query, exact, keys) => {
    const { tags } = parsed(query);
    expect([JSON.stringify(tags.exact), tags.keys]).toEqual([JSON.stringify(exact), keys]);
  });

  it('goes on after a place', () => {
    const place = { createdUs: '5', id: '019ac0de-0000-7000-8000-00000000abcd' };
    expect(parsed({ page_token: pageToken(place), page_size: '2047' })).toMatchObject({ after: place, pageSize: 2047 });
  });

  it.each([
    { page_size: '2048' },
    { page_size: '-1' },
    { page_size: '1e3' },
    { page_size: ['1', '2'] },
    { page_token: 'next' },
    { page_token: ['a', 'b'] },
    { view: 'minimal' },
    { state: 'DONE' },
    { tag_value: 'a' },
    { tag_key: 'a\0' },
    { name_prefix: 'a'.repeat(257) },
    { tag_key: Array.from({ length: 101 }, String) },
  ])('refuses %j', (query) => {
    expect(taskListQuery.safeParse(query).error?.issues).toHaveLength(1);
  });
});
