/** Whose a request is as far as the network tells: the address behind the configured proxies, by the network it belongs to. */
import { isIPv4, isIPv6 } from 'node:net';
import { type FastifyRequest } from 'fastify';

/**
 * One name for all addresses that one client has: an IPv4 address, or the first 64 bits of an IPv6 one. Fastify has passed
 * over the trusted proxies by then (`trustProxy`); what a proxy forwards and is no address is not believed.
 */
export function clientNetwork(request: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  const forwarded = request.ip;
  const address = isIPv4(forwarded) || isIPv6(forwarded) ? forwarded : (request.socket.remoteAddress ?? '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  return isIPv6(address) ? `${firstHalf(address)}/64` : address;
}

function firstHalf(address: string): string {
  const [bare = ''] = address.split('%');
  const [head = '', tail] = bare.split('::');
  const groups = head === '' ? [] : head.split(':');
  const given = groups.length + (tail ? tail.split(':').length : 0) + (bare.includes('.') ? 1 : 0);
  const missing = tail === undefined ? 0 : 8 - given;
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...(tail ? tail.split(':') : [])];
  return all
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':');
}
