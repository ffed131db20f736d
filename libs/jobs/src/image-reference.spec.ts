import { describe, expect, it } from 'vitest';
import {
  familiarRepository,
  imageReferenceProblem,
  isSameRepository,
  parseImageReference,
  pullReference,
} from './image-reference.js';

const HEX = 'a'.repeat(64);
const DIGEST = `sha256:${HEX}`;

describe('parseImageReference', () => {
  it.each([
    ['edf', 'docker.io', 'library/edf', null, null],
    ['edf:2', 'docker.io', 'library/edf', '2', null],
    ['lab/edf:2.0-RC_1', 'docker.io', 'lab/edf', '2.0-RC_1', null],
    ['docker.io/library/edf', 'docker.io', 'library/edf', null, null],
    ['index.docker.io/lab/edf', 'docker.io', 'lab/edf', null, null],
    ['localhost/edf', 'localhost', 'edf', null, null],
    ['localhost:5000/tools/edf:1', 'localhost:5000', 'tools/edf', '1', null],
    [`registry.example.org/a/b/c__d-e.f@${DIGEST}`, 'registry.example.org', 'a/b/c__d-e.f', null, DIGEST],
    [`10.0.0.1:5000/edf:1@${DIGEST}`, '10.0.0.1:5000', 'edf', '1', DIGEST],
    ['[2001:db8::1]:5000/edf', '[2001:db8::1]:5000', 'edf', null, null],
    [`edf@sha512:${HEX}${HEX}`, 'docker.io', 'library/edf', null, `sha512:${HEX}${HEX}`],
    [`r.example/${HEX}`, 'r.example', HEX, null, null],
  ])('takes %s apart', (text, domain, path, tag, digest) => {
    expect(parseImageReference(text)).toEqual({ kind: 'name', domain, path, tag, digest });
  });

  it('takes the id of an image', () => expect(parseImageReference(DIGEST)).toEqual({ kind: 'id', id: DIGEST }));

  it.each([
    ['nothing', ''],
    ['a path of the engine', '../containers/json?x='],
    ['a host and a query', '../127.0.0.1:8080/x?x='],
    ['parts that lead upwards', 'lab/../edf'],
    ['a part that is a dot', 'lab/./edf'],
    ['a query', 'edf?tag=1'],
    ['a fragment', 'edf#1'],
    ['a percent sign', 'lab%2fedf'],
    ['a backslash', 'lab\\edf'],
    ['white space', 'edf 1'],
    ['a newline at its end', 'edf\n'],
    ['a null byte', 'edf\0'],
    ['a letter beyond ASCII', 'édf'],
    ['a long s, which folds to s', 'bu\u017fybox'],
    ['upper case', 'lab/EDF'],
    ['an upper-case host', 'Registry.example/edf'],
    ['an empty part', 'lab//edf'],
    ['a slash at its begin', '/edf'],
    ['a slash at its end', 'lab/'],
    ['a URL', 'https://registry.example/edf'],
    ['a separator at an end', 'edf-'],
    ['two dots', 'e..df'],
    ['three underscores', 'e___df'],
    ['an empty tag', 'edf:'],
    ['two tags', 'edf:1:2'],
    ['a long tag', `edf:${'1'.repeat(129)}`],
    ['a tag that begins with a dot', 'edf:.1'],
    ['a digest that is short', 'edf@sha256:abcd'],
    ['a digest of 63 digits', `edf@sha256:${'a'.repeat(63)}`],
    ['a digest in upper case', `edf@sha256:${'A'.repeat(64)}`],
    ['a digest of another kind', `edf@md5:${'a'.repeat(32)}`],
    ['an empty digest', 'edf@'],
    ['two digests', `edf@${DIGEST}@${DIGEST}`],
    ['a tag behind its digest', `edf@${DIGEST}:1`],
    ['a short id', 'sha256:abcd'],
    ['an id without its kind', HEX],
    ['a port that is none', 'registry.example:65536/edf'],
    ['a port of zero', 'registry.example:0/edf'],
    ['a port in words', 'registry.example:http/edf'],
    ['an address that is none', '1.2.3.400/edf'],
    ['a short address', '127.1/edf'],
    ['an IPv6 address with a zone', '[fe80::1%25eth0]/edf'],
    ['a bracket that stays open', '[::1/edf'],
    ['a user', 'user@registry.example/edf'],
    ['a long name', 'a'.repeat(256)],
    ['what is long', `edf:${'1'.repeat(600)}`],
  ])('refuses %s', (_what, text) => {
    expect(imageReferenceProblem(text)).toMatch(/^[a-z0-9"].*[^.]$/);
  });

  it('takes no time for what is made to take it', () => {
    const before = performance.now();
    for (const text of ['a-'.repeat(250), 'a'.repeat(254) + '-', '-'.repeat(255), 'a__'.repeat(84)]) {
      expect(imageReferenceProblem(text)).not.toBeNull();
    }
    expect(performance.now() - before).toBeLessThan(100);
  });
});

describe('isSameRepository', () => {
  it.each([
    ['busybox:1', `docker.io/library/busybox@${DIGEST}`, true],
    ['index.docker.io/tools/edf', 'tools/edf:2', true],
    ['127.0.0.1:5000/edf:1', `127.0.0.1:5000/edf@${DIGEST}`, true],
    ['127.0.0.1:5000/edf', '127.0.0.1:5001/edf', false],
    ['127.0.0.1:5000/library/edf', '127.0.0.1:5000/edf', false],
    ['edf', 'edf-normalize', false],
    [DIGEST, DIGEST, false],
    ['../edf', '../edf', false],
  ])('of %s and %s is %s', (one, other, same) => expect(isSameRepository(one, other)).toBe(same));
});

describe('pullReference', () => {
  it.each([
    ['localhost:5000/edf', 'localhost:5000/edf:latest'],
    ['docker.io/library/edf:1', 'edf:1'],
    ['library/edf', 'edf:latest'],
    [`edf:1@${DIGEST}`, `edf@${DIGEST}`],
  ])('of %s is %s', (text, pulled) => {
    const reference = parseImageReference(text);
    expect(reference.kind === 'name' && pullReference(reference)).toBe(pulled);
  });

  it('keeps what is Docker Hub’s own apart from what is not', () => {
    const of = (text: string) => {
      const reference = parseImageReference(text);
      return reference.kind === 'name' ? familiarRepository(reference) : '';
    };
    expect([of('edf'), of('lab/edf'), of('r.example/library/edf')]).toEqual([
      'edf',
      'lab/edf',
      'r.example/library/edf',
    ]);
  });
});
