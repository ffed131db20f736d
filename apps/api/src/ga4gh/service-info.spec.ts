import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { PORIN_VERSION } from './service-info.controller.js';

it('the version that the service says is the one of its package', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(PORIN_VERSION).toBe(version);
});
