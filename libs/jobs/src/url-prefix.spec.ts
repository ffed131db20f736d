import { describe, expect, it } from 'vitest';
import {
  describePrefixes,
  fileRoots,
  findOverlap,
  isUrlAllowed as isAllowed,
  longestPrefix,
  narrowPrefixes,
  urlPrefixProblem,
} from './url-prefix.js';

const isUrlAllowed = (url: string, prefixes: readonly string[], foreign: readonly string[] = []) =>
  isAllowed(url, { prefixes, foreign });

describe('isUrlAllowed', () => {
  it('allows nothing by an empty list', () => {
    for (const url of ['file:///a', 'http://h.example.org/', 'https://h.example.org/a']) {
      expect(isUrlAllowed(url, [])).toBe(false);
    }
  });

  it.each([
    ['https://h.example.org/data', 'https://h.example.org/data'],
    ['https://h.example.org/data/', 'https://h.example.org/data'],
    ['https://h.example.org/data', 'https://h.example.org/data/'],
    ['https://h.example.org/data/a/b.edf?token=1', 'https://h.example.org/data'],
    ['https://H.EXAMPLE.org:443/data/a', 'https://h.example.org/data'],
    ['HTTPS://user:password@h.example.org/data/a', 'https://h.example.org/data'],
    ['https://h.example.org/%64ata/a', 'https://h.example.org/data'],
    ['https://h.example.org/data/a', 'https://h.example.org/d%61ta'],
    ['https://h.example.org/a%2fb/c', 'https://h.example.org/a%2Fb'],
    ['https://h.example.org/data/100%25', 'https://h.example.org/data'],
    ['https://h.example.org/data/a..b/...', 'https://h.example.org/data'],
    ['https://h.example.org/data/objects%2Fa', 'https://h.example.org/data'],
    ['https://h.example.org/anything', 'https://h.example.org'],
    ['http://h.example.org:8080/a', 'http://h.example.org:8080'],
    ['http://[2a00::1]/a', 'http://[2a00:0:0::1]/'],
    ['file:///data/in/a', 'file:///data/in'],
    ['file:///data/in/a%20b', 'file:///data/in/'],
    ['file:///data/in/a', 'file:///'],
    ['file:///data/in/a', 'file:///data/in/a'],
    ['s3://bucket/data/a', 's3://bucket'],
    ['s3://bucket/data/a', 's3://bucket/data/'],
    ['drs://h.example.org/a', 'drs://h.example.org'],
  ])('%s is allowed by %s', (url, prefix) => {
    expect(isUrlAllowed(url, [prefix])).toBe(true);
    expect(isUrlAllowed(url, ['https://other.example.org/', prefix])).toBe(true);
  });

  it.each([
    // The same text, another part.
    ['https://h.example.org/data-evil', 'https://h.example.org/data'],
    ['https://h.example.org/data-evil/a', 'https://h.example.org/data'],
    ['https://h.example.org/data%2devil', 'https://h.example.org/data'],
    ['file:///allowed-evil/a', 'file:///allowed'],
    ['file:///allowed%2Fa', 'file:///allowed'],
    ['s3://bucket-evil/a', 's3://bucket'],
    ['s3://bucket/data-evil/a', 's3://bucket/data'],
    ['s3://bucket/data/a', 'https://bucket/data'],
    ['https://h.example.org/a', 'drs://h.example.org'],
    // The same text, another origin.
    ['https://h.example.org.evil/', 'https://h.example.org'],
    ['https://h.example.org.evil/data', 'https://h.example.org/data'],
    ['https://h.example.org@evil/data', 'https://h.example.org/data'],
    ['https://h.example.org./data', 'https://h.example.org/data'],
    ['https://h.example.org:8443/data', 'https://h.example.org/data'],
    ['http://h.example.org/data', 'https://h.example.org/data'],
    ['https://evil/?https://h.example.org/data', 'https://h.example.org/data'],
    ['https://evil\\@h.example.org/data', 'https://h.example.org/data'],
    ['file://evil/data/a', 'file:///data'],
    ['file:////data/a', 'file:///data'],
    ['http://localhost/data/a', 'file:///data'],
    // Above.
    ['https://h.example.org/', 'https://h.example.org/data'],
    ['https://h.example.org/x/../data/a', 'https://h.example.org/data'],
    ['https://h.example.org/data/a#part', 'https://h.example.org/data'],
    ['https://h.example.org/DATA/a', 'https://h.example.org/data'],
    ['https://h.example.org//data/a', 'https://h.example.org/data'],
    ['https://h.example.org/data/../a', 'https://h.example.org/data'],
    ['https://h.example.org/data\\..\\a', 'https://h.example.org/data'],
    ['https://h.example.org/data/%2e%2e/a', 'https://h.example.org/data'],
    ['https://h.example.org/data/.%2E/a', 'https://h.example.org/data'],
    ['file:///data/in/%2e%2e/secret', 'file:///data/in'],
    ['file:///data/in/../secret', 'file:///data/in'],
    // Above for some servers.
    ['https://h.example.org/data/..%2fa', 'https://h.example.org/data'],
    ['https://h.example.org/data/%2e%2e%2fa', 'https://h.example.org/data'],
    ['https://h.example.org/data/x%2F..%2f..%2fa', 'https://h.example.org/data'],
    ['https://h.example.org/data/..%5ca', 'https://h.example.org/data'],
    ['https://h.example.org/data/%252e%252e/a', 'https://h.example.org/data'],
    ['https://h.example.org/data/%25252e%25252e%25252fa', 'https://h.example.org/data'],
    ['https://h.example.org/data/%25252525252525252541', 'https://h.example.org/data'],
    ['https://h.example.org/data/..;/a', 'https://h.example.org/data'],
    ['https://h.example.org/data/%2e%2e%3bx=1/a', 'https://h.example.org/data'],
    ['https://h.example.org/data/a%00', 'https://h.example.org/data'],
    ['file:///data/in/a%00.edf', 'file:///data/in'],
    // Not what it names.
    ['ftp://h.example.org/data', 'ftp://h.example.org/data'],
    ['data:,x', 'data:,'],
    ['/data/a', 'file:///data'],
    ['', 'file:///'],
  ])('%s is not allowed by %s', (url, prefix) => {
    expect(isUrlAllowed(url, [prefix])).toBe(false);
  });

  it.each(['', '*', '/data', 'https://user@h.example.org/', 'https://h.example.org/?', 'https://h.example.org/a?b'])(
    'takes the prefix %j for none, and says why',
    (prefix) => {
      expect(isUrlAllowed('https://h.example.org/a', [prefix])).toBe(false);
      expect(isUrlAllowed('file:///data/a', [prefix])).toBe(false);
      expect(urlPrefixProblem(prefix)).toMatch(/^must /);
    },
  );

  it.each(['file://host/data', 'file:///a%2fb', 'https://h/a#', 'https://h/..%2f', 'ftp://h/', 'https://:p@h/'])(
    'has a complaint about the prefix %s',
    (prefix) => {
      expect(urlPrefixProblem(prefix)).toMatch(/^must /);
    },
  );

  it.each(['file:///', 'file:///data/in', 'https://h.example.org', 'http://h:8080/a%2Fb/'])(
    'has no complaint about the prefix %s',
    (prefix) => {
      expect(urlPrefixProblem(prefix)).toBeNull();
    },
  );
});

describe('the paths of file: prefixes', () => {
  it('are roots without their last slash', () => {
    expect(
      fileRoots([
        'file:///data/in/',
        'https://h.example.org/x',
        'file:///',
        'file:///a?b',
        'file:///a%20b',
        'nonsense',
      ]),
    ).toEqual(['/data/in', '/', '/a b']);
  });
});

it('shows no credentials of a prefix in a message', () => {
  expect(describePrefixes([])).toBe('Allowed prefixes: none');
  expect(describePrefixes(['file:///data', 'https://u:secret@h/a'])).toBe(
    'Allowed prefixes: file:///data, https://h/a',
  );
});

describe('prefixes of tenants', () => {
  it('are refused to others, whatever else allows them', () => {
    const foreign = ['file:///data/a/', 'https://h/b'];
    expect(isUrlAllowed('file:///data/a/x', ['file:///data'], foreign)).toBe(false);
    expect(isUrlAllowed('file:///data/%61/x', ['file:///data/a/x'], foreign)).toBe(false);
    expect(isUrlAllowed('file:///data/ab/x', ['file:///data'], foreign)).toBe(true);
    expect(isUrlAllowed('https://h/b', ['https://h'], foreign)).toBe(false);
    expect(isUrlAllowed('https://h/c', ['https://h'], foreign)).toBe(true);
  });

  it.each<[readonly string[], readonly string[] | null, readonly string[]]>([
    [['file:///data'], null, ['file:///data']],
    [['file:///data'], ['file:///data/a/', 'file:///other'], ['file:///data/a/']],
    [
      ['file:///data/a/b', 'https://h/x'],
      ['file:///data/a', 'https://h'],
      ['file:///data/a/b', 'https://h/x'],
    ],
    [['file:///data'], [], []],
    [['file:///data'], ['file:///data-b', 'http://data/'], []],
  ])('narrow the node’s %j by %j to %j', (node, own, expected) => {
    expect(narrowPrefixes(node, own)).toEqual(expected);
  });

  it('overlap where one may lie below the other, in any spelling', () => {
    expect(findOverlap('file:///a', ['file:///b', 'file:///a/b/'])).toBe('file:///a/b/');
    expect(findOverlap('file:///a/b/', ['nonsense', 'file:///%61'])).toBe('file:///%61');
    expect(findOverlap('file:///a', ['file:///ab'])).toBeUndefined();
    expect(findOverlap('https://h//a/', ['https://h/a/b'])).toBe('https://h/a/b');
    expect(findOverlap('https://h/a/b', ['https://h/a;v=1'])).toBe('https://h/a;v=1');
    expect(findOverlap('nonsense', ['nonsense', 'file:///'])).toBeUndefined();
  });

  it.each([
    'https://data//a/x',
    'https://data/a//x',
    'https://data/a%2Fx',
    'https://data/a%5Cx',
    'https://data/a%252Fx',
    'https://data/%2561/x',
    'https://data/a;v=1/x',
    'https://data/a%3Bv=1/x',
    'https://data/;v/a/x',
    'https://data/a',
    'https://data/a?list',
    'https://DATA:443/a;v/x?q',
  ])('are refused to others as %s too, and allow what is written so to nobody', (url) => {
    for (const foreign of ['https://data/a/', 'https://data//a', 'https://data/a;v=2/']) {
      expect(isUrlAllowed(url, ['https://data/'], [foreign])).toBe(false);
    }
    expect(isUrlAllowed(url, ['https://data/'], ['https://data/b/'])).toBe(true);
    const isWritten = /^https:..(data|DATA:443)\/a($|\?|\/)/.test(url);
    expect(isUrlAllowed(url, ['https://data/a/'])).toBe(isWritten);
  });
});

describe('whatever some server takes for a place below a foreign prefix', () => {
  const PARTS = ['a', 'b', 'a;v', 'a%2Fb', 'a%252fb', '', 'b%3Bx', '%2561', 'a%5C', ';'];
  const all = PARTS.flatMap((x) => PARTS.flatMap((y) => PARTS.map((z) => `${x}/${y}/${z}`)));
  /** Servers: how often they decode, whether they cut parameters and merge slashes, before or after it. */
  const decode = (text: string) => text.replace(/%[0-9a-f]{2}/gi, (escape) => decodeURIComponent(escape));
  const cut = (text: string) => text.replace(/;[^/\\]*/g, '');
  const merge = (text: string) => text.replace(/[/\\]+/g, '/');
  const servers = [[], [merge], [cut], [cut, decode], [decode, cut], [decode, merge], [cut, decode, merge]].flatMap(
    (steps) => [steps, [...steps, ...steps]],
  );

  it('is refused', () => {
    const urls = all.map((path) => `https://data/${path}`);
    const isAllowedBy = PARTS.slice(0, 8).map((part) => {
      const prefix = `https://data/${part}/b`;
      const rule = { prefixes: ['https://data'], foreign: [prefix] };
      return { prefix, reaches: urls.filter((url) => isAllowed(url, rule)) };
    });
    for (const { prefix, reaches } of isAllowedBy) {
      for (const steps of servers) {
        const seen = (url: string) => `${steps.reduce((text, step) => step(text), new URL(url).pathname)}/`;
        const owned = seen(prefix);
        expect(reaches.filter((url) => seen(url).startsWith(owned))).toEqual([]);
      }
    }
  });
});

describe('long lists', () => {
  it('are read once: a thousand foreign prefixes cost two thousand URLs no thousand readings each', () => {
    let readings = 0;
    const texts = Array.from({ length: 1_000 }, (_, index) => `https://data/${'part/'.repeat(20)}${index}/`);
    const foreign = new Proxy(texts, {
      get: (target, key, self) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) readings++;
        return Reflect.get(target, key, self) as unknown;
      },
    });
    const rule = { prefixes: ['https://data/'], foreign };
    for (let index = 0; index < 2_000; index++) {
      expect(isAllowed(`https://data/${'part/'.repeat(20)}x${index}`, rule)).toBe(true);
    }
    expect(isAllowed(`https://data/${'part/'.repeat(20)}7/a`, rule)).toBe(false);
    expect(readings).toBeLessThan(10_000);
  });
});

describe('longestPrefix', () => {
  const entries = ['s3://bucket/a/', 's3://bucket/', 's3://bucket/a/b', 'https://h/', 'no prefix'].map((prefix) => ({
    prefix,
  }));

  it.each([
    ['s3://bucket/c', 's3://bucket/'],
    ['s3://bucket/a/c', 's3://bucket/a/'],
    ['s3://bucket/a/b/c', 's3://bucket/a/b'],
    ['s3://bucket/a/bc', 's3://bucket/a/'],
    ['https://h/a', 'https://h/'],
    ['http://h/a', undefined],
    ['s3://other/a', undefined],
    ['s3://bucket/a/../b', undefined],
  ])('of %s is %s', (url, prefix) => {
    expect(longestPrefix(url, entries)?.prefix).toBe(prefix);
  });
});
