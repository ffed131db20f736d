import { describe, expect, it } from 'vitest';
import { parseImageReference } from './image-reference.js';
import { imageBelow, isBelowRegistryPrefix, registryPrefixProblem } from './registry-prefix.js';

function isBelow(image: string, prefix: string): boolean {
  const name = parseImageReference(image);
  return name.kind === 'name' && isBelowRegistryPrefix(name, prefix);
}

describe('the prefix of a registry', () => {
  it.each([
    ['registry.example.org/tools/edf:2', 'registry.example.org/'],
    ['registry.example.org/tools/edf:2', 'registry.example.org/tools/'],
    ['127.0.0.1:5000/a', '127.0.0.1:5000/'],
    ['alpine', 'docker.io/'],
    ['team/tool@sha256:' + '0'.repeat(64), 'docker.io/team/'],
  ])('holds %s below %s', (image, prefix) => {
    expect(registryPrefixProblem(prefix)).toBeNull();
    expect(isBelow(image, prefix)).toBe(true);
  });

  it.each([
    ['registry.example.org/toolsmith/edf', 'registry.example.org/tools/'],
    ['registry.example.org.evil.example/edf', 'registry.example.org/'],
    ['registry.example.org:5000/edf', 'registry.example.org/'],
    ['team2/tool', 'docker.io/team/'],
  ])('does not hold %s below %s', (image, prefix) => {
    expect(isBelow(image, prefix)).toBe(false);
  });

  it.each([
    '',
    '/',
    'registry.example.org',
    'tools/',
    'registry.example.org//',
    'https://registry.example.org/',
    'A.org/',
  ])('is not "%s"', (prefix) => {
    expect(registryPrefixProblem(prefix)).not.toBeNull();
    expect(isBelow('registry.example.org/a', prefix)).toBe(false);
    expect(imageBelow(prefix)).toBeNull();
  });
});
