import { type FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { clientNetwork } from './client-address.js';

const of = (ip: string, remoteAddress = '192.0.2.9') =>
  clientNetwork({ ip, socket: { remoteAddress } } as unknown as FastifyRequest);

describe('the network of a client', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2/64'],
    ['2001:db8::1', '2001:db8:0:0/64'],
    ['::1', '0:0:0:0/64'],
    ['fe80::1%eth0', 'fe80:0:0:0/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0/64'],
  ])('of %s is %s', (address, network) => {
    expect(of(address)).toBe(network);
  });

  it('is the connection’s own where a proxy forwards no address', () => {
    expect(of('somebody')).toBe('192.0.2.9');
  });
});
