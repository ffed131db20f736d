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
