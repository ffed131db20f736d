/** The default address rules from end to end: a public address, which only a network namespace can offer on loopback. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SCRIPT = `set -e
ip link set lo up
ip address add 93.184.215.14/32 dev lo
exec "$0" test/support/public-archive.mjs ../../.porin/dist/libs/staging/src/index.js`;

it('an input comes from a public address, and a redirect from there to a private one is refused', async () => {
  const command = ['--map-root-user', '--net', 'sh', '-c', SCRIPT, process.execPath];
  const { stdout } = await promisify(execFile)('unshare', command);
  expect(JSON.parse(stdout)).toEqual({
    outcomes: ['public', 'public', 'input-address-refused', 'input-address-refused', 'input-address-refused'],
    privateRequests: 0,
  });
});
