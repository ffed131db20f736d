import { expect, it } from 'vitest';
import { adhocApplicationName } from './adhoc-application.js';

it.each([
  ['alpine', 'true', 'adhoc/alpine/true'],
  ['alpine:3.20', 'true', 'adhoc/alpine/true'],
  ['alpine:3.20@sha256:00ff', 'true', 'adhoc/alpine/true'],
  ['alpine@sha256:00ff', 'true', 'adhoc/alpine/true'],
  ['registry.example.org:5000/lab/edf', '/bin/edf', 'adhoc/registry.example.org:5000/lab/edf//bin/edf'],
  ['registry.example.org:5000/lab/edf:1', 'edf', 'adhoc/registry.example.org:5000/lab/edf/edf'],
])('%s with %s is %s', (image, argv0, name) => {
  expect(adhocApplicationName(image, argv0)).toBe(name);
});

it('has a bounded name for a program of any length, one for each', () => {
  const names = ['a', 'b', '\u{1F9EC}'].map((end) => adhocApplicationName('alpine', '\u{1F9EC}'.repeat(3_000) + end));
  expect(new Set(names).size).toBe(3);
  for (const name of names) {
    expect(Buffer.byteLength(name)).toBeLessThan(2_000);
    expect(name).not.toMatch(/\p{Cs}/u);
  }
});
