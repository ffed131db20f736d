import { describe, expect, it } from 'vitest';
import { architectureOfGoarch, contentDigest, type ImageContent } from './content-digest.js';

const content: ImageContent = {
  os: 'linux',
  architecture: 'x86_64',
  layerDiffIds: [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`],
  entrypoint: ['/bin/edf'],
  command: [],
  environment: ['A=1', 'B=2'],
  workingDirectory: '/',
  user: '',
};

describe('contentDigest', () => {
  it('changes with every part of the content, the order of layers included', () => {
    const others: ImageContent[] = [
      content,
      { ...content, os: 'freebsd' },
      { ...content, architecture: 'aarch64' },
      { ...content, layerDiffIds: [...content.layerDiffIds].reverse() },
      { ...content, entrypoint: [], command: content.entrypoint },
      { ...content, environment: ['A=1', 'B=3'] },
      { ...content, workingDirectory: '/data' },
      { ...content, user: '1000' },
    ];
    expect(new Set(others.map(contentDigest)).size).toBe(others.length);
  });

  it('ignores what no process can see: the order of the environment and what it overrides', () => {
    const same = { ...content, environment: ['B=0', 'B=2', 'A=1'] };
    expect(contentDigest(same)).toBe(contentDigest(content));
    expect(contentDigest({ ...content, environment: ['B=2', 'B=0', 'A=1'] })).not.toBe(contentDigest(content));
  });
});

it('knows the architectures of engines by their Go names', () => {
  expect(['amd64', 'arm64', 'arm', 'x86_64', 'constructor'].map(architectureOfGoarch)).toEqual([
    'x86_64',
    'aarch64',
    ...[undefined, undefined, undefined],
  ]);
});
