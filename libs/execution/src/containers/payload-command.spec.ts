import { expect, it } from 'vitest';
import { payloadCommand } from './payload-command.js';

const image = { entrypoint: ['tool'], command: ['--help'], workingDirectory: '/data' };

it('is what the request says, all of it', () => {
  const requested = { command: ['sort', '-u'], workingDirectory: '/work' };
  expect(payloadCommand(image, requested)).toEqual(requested);
});

it.each([undefined, null])('is what the image says where the request is silent (%s)', (workingDirectory) => {
  const requested = { command: [], ...(workingDirectory !== undefined && { workingDirectory }) };
  expect(payloadCommand(image, requested)).toEqual({ command: ['tool', '--help'], workingDirectory: '/data' });
});

it('never adds the image’s entrypoint to a command, and begins in / where nobody names a directory', () => {
  const bare = { ...image, workingDirectory: '' };
  expect(payloadCommand(bare, { command: ['sort'] })).toEqual({ command: ['sort'], workingDirectory: '/' });
});
