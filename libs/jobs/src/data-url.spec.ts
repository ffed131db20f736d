import { describe, expect, it } from 'vitest';
import { parseDataUrl, placeParts } from './data-url.js';
import { outputClaimKey } from './output-claim.js';

const urlOf = (text: string) => {
  const { url, problem } = parseDataUrl(text);
  if (url === null) throw new Error(`${text}: ${problem}`);
  return url;
};
const pathOf = (text: string) => {
  const url = urlOf(text);
  return url.scheme === 'file' ? url.path : null;
};

describe('a file: reference', () => {
  it.each([
    ['file:///out/a', '/out/a'],
    ['FILE:///out/a', '/out/a'],
    ['file:///out/s%231.txt', '/out/s#1.txt'],
    ['file:///out/s%3F1.txt', '/out/s?1.txt'],
    ['file:///out/100%25', '/out/100%'],
    ['file:///out/100%2525', '/out/100%25'],
    ['file:///out/%252e%252e', '/out/%2e%2e'],
    ['file:///out/x%5Cy', '/out/x\\y'],
    ['file:///out/a%0Ab', '/out/a\nb'],
    ['file:///out/run 1/ä.edf', '/out/run 1/ä.edf'],
    ['file:///out/run%201/%C3%A4.edf', '/out/run 1/ä.edf'],
    ['file:///%6F%75t/%61', '/out/a'],
    ['file:///C|/a:b@c;d=e', '/C|/a:b@c;d=e'],
    ['file:///out/..a/.hidden/a.', '/out/..a/.hidden/a.'],
  ])('%s names %s', (text, path) => {
    expect(pathOf(text)).toBe(path);
  });

  it.each([
    ['file:///out/s#1.txt', 'must not contain a raw "#": write %23'],
    ['file:///out/a#', 'must not contain a raw "#": write %23'],
    ['file:///out/s?1.txt', 'must not contain a raw "?": write %3F'],
    ['file:///out/a?', 'must not contain a raw "?": write %3F'],
    ['file:///out/100%', 'has a "%" that begins no escape: write %25'],
    ['file:///out/100%/a', 'has a "%" that begins no escape: write %25'],
    ['file:///out/%zz', 'has a "%" that begins no escape: write %25'],
    ['file:///out/x\\y', 'must not contain a raw "\\": write %5C, or "/" between directories'],
    ['file:\\\\\\out\\a', 'must not contain a raw "\\": write %5C, or "/" between directories'],
    ['file:///out/a\nb', 'must not contain the raw control character U+000A: write %0A'],
    ['file:///out/a\n', 'must not contain the raw control character U+000A: write %0A'],
    ['file:///out/a\tb', 'must not contain the raw control character U+0009: write %09'],
    ['file:///out/a\rb', 'must not contain the raw control character U+000D: write %0D'],
    ['file:///out/a\x7f', 'must not contain the raw control character U+007F: write %7F'],
    ['file:///out/a ', 'must not end with a raw blank: write %20'],
    ['file:///out/a\0b', 'must not contain null bytes'],
    ['file:///out/a%00b', 'must not contain null bytes'],
    ['file:///out/a%2Fb', 'must not contain %2F: no file name has a slash'],
    ['file:///out/a%2fb', 'must not contain %2F: no file name has a slash'],
    ['file:///out/%ff', 'has escapes that are no UTF-8'],
    ['file:///out/\ud800', 'must not contain halves of characters'],
    ['file:///out/../a', 'must not contain the parts "." or "..", escaped ones included'],
    ['file:///out/./a', 'must not contain the parts "." or "..", escaped ones included'],
    ['file:///out/%2e%2E/a', 'must not contain the parts "." or "..", escaped ones included'],
    ['file:///out/.%2e', 'must not contain the parts "." or "..", escaped ones included'],
    ['file:///out//a', 'must not contain "//"'],
    ['file:////out/a', 'must not contain "//"'],
    ['file:///out/', 'must name a file: it ends with "/"'],
    ['file:///', 'must name a file: it ends with "/"'],
    ['file:///out/a//', 'must name a file: it ends with "/"'],
    ['file://host/out/a', 'must have no host: write file:/// and the path'],
    ['file://localhost/out/a', 'must have no host: write file:/// and the path'],
    ['file:/out/a', 'must have no host: write file:/// and the path'],
    ['file:out/a', 'must have no host: write file:/// and the path'],
    [`file:///out/${'x'.repeat(256)}`, 'must not have a name of more than 255 bytes'],
    [`file:///out/${'ä'.repeat(128)}`, 'must not have a name of more than 255 bytes'],
    [`file://${`/${'x'.repeat(250)}`.repeat(17)}`, 'must not be longer than 4095 bytes'],
    [`file://${'/a'.repeat(101)}`, 'must not have more than 100 parts'],
    ['file:///out/.porin-1-0.part', 'must not name .porin-*.part, which Porin uses itself'],
    [' file:///out/a', 'must be a file:, http:, https:, s3: or drs: URL'],
    ['/out/a', 'must be a file:, http:, https:, s3: or drs: URL'],
    ['ftp://host/a', 'must be a file:, http:, https:, s3: or drs: URL'],
    ['', 'must be a file:, http:, https:, s3: or drs: URL'],
  ])('%j is refused with what to write instead', (text, problem) => {
    expect(parseDataUrl(text)).toEqual({ url: null, problem });
  });
});

describe('an http: reference', () => {
  it.each([
    'https://h.example.org/a',
    'https://h.example.org/a/',
    'https://h.example.org',
    'https://h.example.org/a?signature=1%2F2&x=/../',
    'https://h.example.org/objects%2Fa',
    'https://h.example.org//a',
    'http://user:p%40ss@127.0.0.1:8080/a',
    'http://[2a00::1]/a',
  ])('%s is sound', (text) => {
    expect(parseDataUrl(text).problem).toBeNull();
  });

  it.each([
    ['https://h/a#b', 'must not contain a raw "#": write %23'],
    ['https://h/100%', 'has a "%" that begins no escape: write %25'],
    ['https://h/a\\b', 'must not contain a raw "\\": write %5C, or "/" between directories'],
    ['https://h/a\nb', 'must not contain the raw control character U+000A: write %0A'],
    ['https://h/a%00', 'must not contain null bytes'],
    ['https://h/a/../b', 'must not contain the parts "." or "..", escaped ones included'],
    ['https://h/a/%2e/b', 'must not contain the parts "." or "..", escaped ones included'],
    ['https://h/a/..%2fb', 'must not contain the parts "." or "..", escaped ones included'],
    ['https://h/a/..;/b', 'must not contain the parts "." or "..", escaped ones included'],
    ['https:/h/a', 'must be written https://host/path'],
    ['https:h/a', 'must be written https://host/path'],
    ['https:///h/a', 'must be written https://host/path'],
    ['http://', 'must be written http://host/path'],
    ['http://h:99999/a', 'must be a valid URL'],
  ])('%j is refused with what to write instead', (text, problem) => {
    expect(parseDataUrl(text)).toEqual({ url: null, problem });
  });
});

describe('an s3: reference', () => {
  const nameOf = (text: string) => {
    const url = urlOf(text);
    return url.scheme === 's3' ? [url.bucket, url.key] : null;
  };

  it.each([
    ['s3://bucket/a', 'bucket', 'a'],
    ['S3://my.bucket-1/run 1/ä.edf', 'my.bucket-1', 'run 1/ä.edf'],
    ['s3://bucket/run%201/%C3%A4.edf', 'bucket', 'run 1/ä.edf'],
    ['s3://bucket/a+b/100%25', 'bucket', 'a+b/100%'],
    ['s3://bucket/a%3Fb%23c', 'bucket', 'a?b#c'],
  ])('%s names an object', (text, bucket, key) => {
    expect(nameOf(text)).toEqual([bucket, key]);
  });

  const BUCKET = 'must be written s3://bucket/key, with a bucket of 3 to 63 lower-case letters, digits, "-" and "."';
  it.each([
    ['s3://Bucket/a', BUCKET],
    ['s3://ab/a', BUCKET],
    ['s3://a..b/a', BUCKET],
    ['s3://user:secret@bucket/a', BUCKET],
    ['s3://bucket:9000/a', BUCKET],
    ['s3:///a', BUCKET],
    ['s3:bucket/a', BUCKET],
    ['s3://bucket', 'must name an object'],
    ['s3://bucket/', 'must name an object'],
    ['s3://bucket/a/', 'must name an object: it ends with "/"'],
    ['s3://bucket/a//b', 'must not contain "//"'],
    ['s3://bucket//a', 'must not contain "//"'],
    ['s3://bucket/../other/a', 'must not contain the parts "." or "..", escaped ones included'],
    ['s3://bucket/%2e%2e/a', 'must not contain the parts "." or "..", escaped ones included'],
    ['s3://bucket/a%2Fb', 'must not contain %2F: write "/"'],
    ['s3://bucket/a?versionId=1', 'must not contain a raw "?": write %3F'],
    ['s3://bucket/a%0Ab', 'must not contain control characters, escaped ones included'],
    ['s3://bucket/%ff', 'has escapes that are no UTF-8'],
    [`s3://bucket/${'ä'.repeat(513)}`, 'must not have a key of more than 1024 bytes'],
    [`s3://bucket${'/a'.repeat(101)}`, 'must not have more than 100 parts'],
  ])('%j is refused with what to write instead', (text, problem) => {
    expect(parseDataUrl(text)).toEqual({ url: null, problem });
  });
});

describe('a drs: reference', () => {
  it.each([
    ['drs://drs.example.org/314159', 'drs.example.org', '314159'],
    ['DRS://DRS.example.org:8443/a%3Ab', 'drs.example.org:8443', 'a:b'],
    ['drs://[2a00::1]:8443/a', '[2a00::1]:8443', 'a'],
  ])('%s names an object of a server', (text, host, id) => {
    expect(urlOf(text)).toMatchObject({ scheme: 'drs', host, id });
  });

  const COMPACT =
    'must name a server: compact identifiers (drs://prefix:accession) are not resolved, write drs://host/id';
  it.each([
    ['drs://drs.42:314159a', COMPACT],
    ['drs://dg.4503:dg.4503/a', COMPACT],
    ['drs://provider/namespace:accession', COMPACT],
    ['drs:///a', 'must be written drs://host/id'],
    ['drs://user@host/a', 'must be written drs://host/id'],
    ['drs://host', 'must name an object'],
    ['drs://host/a?b', 'must not contain a raw "?": write %3F'],
  ])('%j is refused with what to write instead', (text, problem) => {
    expect(parseDataUrl(text)).toEqual({ url: null, problem });
  });
});

describe('two URLs', () => {
  /** Whether the key of the first is that of the second, or begins with it. */
  const isBelow = (lower: string, upper: string) => {
    const [key, beginning] = [outputClaimKey(urlOf(lower)), outputClaimKey(urlOf(upper))];
    return key.subarray(0, beginning.length).equals(beginning);
  };

  it.each([
    ['file:///out/a', 'file:///out/%61'],
    ['file:///out/a', 'FILE:///out/a'],
    ['file:///out/ä', 'file:///out/%c3%a4'],
    ['s3://bucket/ä', 'S3://bucket/%c3%a4'],
    ['https://h/a', 'HTTPS://H:443/%61'],
    ['https://u:p@h/a', 'https://h/a'],
    ['https://h/a%2fb?x', 'https://h/a%2Fb?x'],
    // For some servers.
    ['https://h/a', 'https://h//a'],
    ['https://h/a', 'https://h/a/'],
    ['https://h', 'https://h//'],
    ['https://h/a/b', 'https://h/a%2Fb'],
    ['https://h/a/b', 'https://h/a%252fb'],
    ['https://h/a/b', 'https://h/a%25255cb'],
    ['https://h/a/b', 'https://h/a;v=1//%2f/b;x'],
    ['https://h/a/b', 'https://h/a%3Bv=1/;x/b%253b'],
    ['https://h/ä', 'https://h/%25C3%25A4'],
    ['https://h/a b', 'https://h/a%2520b'],
    ['https://h/a', 'https://h/a?'],
  ])('%s and %s may name one place', (a, b) => {
    expect(placeParts(urlOf(a))).toEqual(placeParts(urlOf(b)));
    expect([isBelow(a, b), isBelow(b, a)]).toEqual([true, true]);
  });

  it.each([
    ['file:///out/a', 'file:///out/a/b'],
    ['file:///out/a', 'file:///out/%61/b/c'],
    ['https://h/a', 'https://h/a/b'],
    ['https://h/a', 'https://h/a%2Fb'],
    ['https://h/a;v=1', 'https://h/a//b'],
    ['https://h/a', 'https://h/a;%3Bx/b'],
    ['https://h/a', 'https://h/a?x=1'],
    ['https://h/a/', 'https://h/a?x=1'],
    ['https://h', 'https://h/?x=1'],
  ])('%s may lie above %s', (upper, lower) => {
    expect([isBelow(lower, upper), isBelow(upper, lower)]).toEqual([true, false]);
  });

  it.each([
    ['file:///out/a', 'file:///out/b'],
    ['file:///out/a', 'file:///out/ab'],
    ['file:///out/a%23b', 'file:///out/a'],
    ['file:///out/A', 'file:///out/a'],
    ['file:///out/a%5Cb', 'file:///out/a'],
    ['file:///out/a;b', 'file:///out/a'],
    ['https://h/a?x=1', 'https://h/a?x=2'],
    ['https://h/a?x=1', 'https://h/a/x=1'],
    ['https://h/a?x', 'https://h/a/%3Fx'],
    ['https://h/a?x=1', 'https://h/b'],
    ['https://h/a', 'https://g/a'],
    ['https://h/a', 'http://h/a'],
    ['https://h/a', 'https://h:8443/a'],
    ['https://h/a', 'https://h/A'],
    ['file:///a', 'https://h/a'],
  ])('%s and %s are apart', (a, b) => {
    expect([isBelow(a, b), isBelow(b, a)]).toEqual([false, false]);
  });

  it.each(['https://h/a;%2Fb/c', 'https://h/a;v=%252F/c', 'https://h/a%3B%255C', 'https://h/a;%5cb'])(
    'are not compared where cutting "%s" before or after it is decoded gives two places',
    (text) => {
      expect(parseDataUrl(text).problem).toBe('must not contain an escaped slash behind ";"');
    },
  );

  it('have no more parts than a key, escaped slashes counted', () => {
    expect(parseDataUrl(`https://h${'/a'.repeat(100)}?q`).problem).toBeNull();
    expect(parseDataUrl(`https://h/a${'%2Fa'.repeat(100)}`).problem).toBe('must not have more than 100 parts');
  });
});

it('keeps the keys of claims that jobs of an earlier version hold', () => {
  const keyOf = (text: string) => outputClaimKey(urlOf(text)).toString('hex');
  expect(keyOf('file:///out/a%23b c')).toBe('71205e4480342d9791cbe980d63ea96b34a7bed6595b59b4');
  expect(keyOf('https://h.example.org/data/a-1.edf')).toBe('a6892e7f54b0b9fc61e4809f6016f6e864582490c1018fb4');
});
