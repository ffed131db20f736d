/** Which addresses belong to the public internet, and what the others are. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

export type AddressKind =
  | 'global'
  | 'invalid'
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'shared'
  | 'link-local'
  | 'unique-local'
  | 'multicast'
  | 'documentation'
  | 'benchmarking'
  | 'reserved'
  | 'ipv4-embedded';

type Rule = readonly [kind: AddressKind, network: string, prefixBits: number];

/** IANA IPv4 Special-Purpose Address Registry (RFC 6890), and multicast (RFC 5771). The first rule that matches decides. */
const IPV4_RULES: readonly Rule[] = [
  ['unspecified', '0.0.0.0', 8],
  ['private', '10.0.0.0', 8],
  ['shared', '100.64.0.0', 10],
  ['loopback', '127.0.0.0', 8],
  ['link-local', '169.254.0.0', 16],
  ['private', '172.16.0.0', 12],
  ['reserved', '192.0.0.0', 24],
  ['documentation', '192.0.2.0', 24],
  ['reserved', '192.88.99.0', 24],
  ['private', '192.168.0.0', 16],
  ['benchmarking', '198.18.0.0', 15],
  ['documentation', '198.51.100.0', 24],
  ['documentation', '203.0.113.0', 24],
  ['multicast', '224.0.0.0', 4],
  ['reserved', '240.0.0.0', 4],
];

/**
 * IANA IPv6 Special-Purpose Address Registry. Every form that carries an IPv4 address is refused as a whole, because
 * where it leads is for a translator to say: mapped and compatible (RFC 4291), SIIT (RFC 2765), NAT64 (RFC 6052, 8215),
 * 6to4 (RFC 3056), Teredo (RFC 4380, in 2001::/23). A site's own NAT64 prefix cannot be told from other addresses.
 */
const IPV6_RULES: readonly Rule[] = [
  ['unspecified', '::', 128],
  ['loopback', '::1', 128],
  ['ipv4-embedded', '::', 96],
  ['ipv4-embedded', '::ffff:0:0', 96],
  ['ipv4-embedded', '::ffff:0:0:0', 96],
  ['ipv4-embedded', '64:ff9b::', 96],
  ['ipv4-embedded', '64:ff9b:1::', 48],
  ['ipv4-embedded', '2001::', 32],
  ['reserved', '2001::', 23],
  ['documentation', '2001:db8::', 32],
  ['ipv4-embedded', '2002::', 16],
  ['documentation', '3fff::', 20],
  ['global', '2000::', 3],
  ['unique-local', 'fc00::', 7],
  ['link-local', 'fe80::', 10],
  ['private', 'fec0::', 10],
  ['multicast', 'ff00::', 8],
  ['reserved', '::', 0],
];

/** The families are matched apart: a BlockList with IPv4-mapped rules would match every IPv4 address. */
const MATCHERS = { ipv4: IPV4_RULES.map(matcher('ipv4')), ipv6: IPV6_RULES.map(matcher('ipv6')) };

/** `address` is the text of an IP address, without brackets; other text is 'invalid'. */
export function classifyAddress(address: string): AddressKind {
  const plain = address.replace(/%.*$/s, '');
  if (isIPv4(plain)) return kindOf(plain, 'ipv4') ?? 'global';
  return isIPv6(plain) ? (kindOf(plain, 'ipv6') ?? 'invalid') : 'invalid';
}

function kindOf(address: string, family: 'ipv4' | 'ipv6'): AddressKind | undefined {
  return MATCHERS[family].find(({ list }) => list.check(address, family))?.kind;
}

function matcher(family: 'ipv4' | 'ipv6') {
  return ([kind, network, prefixBits]: Rule) => {
    const list = new BlockList();
    if (prefixBits === 0) list.addRange('::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', family);
    else list.addSubnet(network, prefixBits, family);
    return { kind, list };
  };
}
