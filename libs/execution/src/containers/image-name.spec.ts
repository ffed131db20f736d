import { describe, expect, it } from 'vitest';
import { repositoryOf, sameRepository, withTag } from './image-name.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('repositoryOf', () => {
  it.each([
    ['busybox', 'busybox'],
    ['busybox:1', 'busybox'],
    ['localhost:5000/tools/edf', 'localhost:5000/tools/edf'],
    ['localhost:5000/tools/edf:2.0', 'localhost:5000/tools/edf'],
    [`localhost:5000/tools/edf@${DIGEST}`, 'localhost:5000/tools/edf'],
    [`localhost:5000/tools/edf:2.0@${DIGEST}`, 'localhost:5000/tools/edf'],
  ])('of %s is %s', (reference, repository) => expect(repositoryOf(reference)).toBe(repository));
});

describe('sameRepository', () => {
  it.each([
    ['busybox:1', `docker.io/library/busybox@${DIGEST}`, true],
    ['index.docker.io/tools/edf', 'tools/edf:2', true],
    ['127.0.0.1:5000/edf:1', `127.0.0.1:5000/edf@${DIGEST}`, true],
    ['127.0.0.1:5000/edf', '127.0.0.1:5001/edf', false],
    ['127.0.0.1:5000/library/edf', '127.0.0.1:5000/edf', false],
    ['edf', 'edf-normalize', false],
  ])('of %s and %s is %s', (one, other, same) => expect(sameRepository(one, other)).toBe(same));
});

describe('withTag', () => {
  it.each([
    ['localhost:5000/edf', 'localhost:5000/edf:latest'],
    ['edf:1', 'edf:1'],
    [`edf@${DIGEST}`, `edf@${DIGEST}`],
  ])('of %s is %s', (reference, pulled) => expect(withTag(reference)).toBe(pulled));
});
