import { describe, expect, it } from 'vitest';
import { imageAccess, imagePatternProblem } from './image-access.js';
import { parseImageReference } from './image-reference.js';

const NO_LISTS = { registries: null, local: null };

function access(
  image: string,
  grid: { registries?: string[]; local?: string[] },
  tenant: { registries?: string[]; local?: string[] } = {},
) {
  const reference = parseImageReference(image);
  if (reference.kind !== 'name') throw new Error('an id has no name');
  return imageAccess(reference, { registries: [], local: [], ...grid }, { ...NO_LISTS, ...tenant });
}

describe('imageAccess', () => {
  it.each([
    ['edf', [], 'refused'],
    ['edf', ['docker.io'], 'named'],
    ['edf', ['index.docker.io'], 'named'],
    ['edf', ['docker.io/library/*'], 'named'],
    ['lab/edf', ['docker.io/library/*'], 'refused'],
    ['r.example/lab/edf', ['r.example'], 'named'],
    ['r.example/lab/edf', ['r.example/lab/*'], 'named'],
    ['r.example/labor/edf', ['r.example/lab/*'], 'refused'],
    ['r.example:5000/edf', ['r.example'], 'refused'],
    ['evil-r.example/edf', ['r.example'], 'refused'],
    ['r.example.evil.org/edf', ['r.example'], 'refused'],
    ['a.r.example/edf', ['*.r.example'], 'named'],
    ['evil.org/r.example/edf', ['*.r.example'], 'refused'],
    ['127.0.0.1:41234/edf', ['127.0.0.1:*'], 'named'],
    ['r.example/edf', ['*'], 'public'],
    ['r.example/edf', ['*', 'r.example'], 'named'],
  ] as const)('of %s under the registries %j is %s', (image, registries, word) => {
    expect(access(image, { registries: [...registries] }).registry).toBe(word);
  });

  it.each([
    ['lab/edf:1', [], 'refused'],
    ['lab/edf:1', ['lab/*'], 'named'],
    ['lab/edf:1', ['docker.io/lab/edf'], 'named'],
    ['edf', ['edf'], 'named'],
    ['edf-normalize', ['edf'], 'refused'],
    ['r.example/lab/edf', ['lab/*'], 'refused'],
    ['r.example/lab/edf', ['r.example/*'], 'named'],
    ['lab/edf', ['*'], 'any'],
  ] as const)('of %s under the local images %j is %s', (image, local, word) => {
    expect(access(image, { local: [...local] }).local).toBe(word);
  });

  it('needs both the grid and the tenant, where the tenant has a list', () => {
    expect(access('r.example/edf', { registries: ['*'] }, { registries: ['r.example'] }).registry).toBe('named');
    expect(access('r.example/edf', { registries: ['r.example'] }, { registries: ['*'] }).registry).toBe('named');
    expect(access('r.example/edf', { registries: ['*'] }, { registries: [] }).registry).toBe('refused');
    expect(access('r.example/edf', { registries: [] }, { registries: ['r.example'] }).registry).toBe('refused');
    expect(access('lab/edf', { local: ['*'] }, { local: ['lab/*'] }).local).toBe('named');
    expect(access('lab/edf', { local: ['*'] }, { local: [] }).local).toBe('refused');
  });
});

describe('imagePatternProblem', () => {
  it.each(['*', 'lab/*', 'docker.io', '127.0.0.1:*', '*.example.org', '[::1]:5000'])('accepts %s', (pattern) => {
    expect(imagePatternProblem(pattern)).toBeNull();
  });
  it.each(['', '**', '*/edf', '/edf', 'Lab', 'a b', 'https://r.example?', 'a'.repeat(256)])('refuses %j', (pattern) => {
    expect(imagePatternProblem(pattern)).not.toBeNull();
  });
});
