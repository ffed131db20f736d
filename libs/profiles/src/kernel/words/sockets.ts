/** The kernel's own names for the values of calls on sockets. */
import { type Words } from './words.js';

/** linux/socket.h. */
export const SOCKET_FAMILIES: Words = {
  0: 'AF_UNSPEC',
  1: 'AF_UNIX',
  2: 'AF_INET',
  10: 'AF_INET6',
  15: 'AF_KEY',
  16: 'AF_NETLINK',
  17: 'AF_PACKET',
  29: 'AF_CAN',
  31: 'AF_BLUETOOTH',
  38: 'AF_ALG',
  40: 'AF_VSOCK',
  44: 'AF_XDP',
};

/** linux/net.h; the low four bits, beside the flags. */
export const SOCKET_TYPES: Words = {
  1: 'SOCK_STREAM',
  2: 'SOCK_DGRAM',
  3: 'SOCK_RAW',
  4: 'SOCK_RDM',
  5: 'SOCK_SEQPACKET',
  10: 'SOCK_PACKET',
};
export const SOCKET_FLAGS: Words = { 0o4000: 'SOCK_NONBLOCK', 0o2000000: 'SOCK_CLOEXEC' };

/** linux/net.h. */
export const SHUTDOWNS: Words = { 0: 'SHUT_RD', 1: 'SHUT_WR', 2: 'SHUT_RDWR' };

/** The levels of socket options, linux/socket.h. */
export const SOCKET_LEVELS: Words = {
  0: 'SOL_IP',
  1: 'SOL_SOCKET',
  6: 'SOL_TCP',
  17: 'SOL_UDP',
  41: 'SOL_IPV6',
  263: 'SOL_PACKET',
  270: 'SOL_NETLINK',
  279: 'SOL_ALG',
};

/** asm-generic/socket.h. */
const SOCKET: Words = {
  2: 'SO_REUSEADDR',
  3: 'SO_TYPE',
  4: 'SO_ERROR',
  6: 'SO_BROADCAST',
  7: 'SO_SNDBUF',
  8: 'SO_RCVBUF',
  9: 'SO_KEEPALIVE',
  12: 'SO_PRIORITY',
  13: 'SO_LINGER',
  15: 'SO_REUSEPORT',
  16: 'SO_PASSCRED',
  17: 'SO_PEERCRED',
  20: 'SO_RCVTIMEO',
  21: 'SO_SNDTIMEO',
  25: 'SO_BINDTODEVICE',
  26: 'SO_ATTACH_FILTER',
  30: 'SO_ACCEPTCONN',
  32: 'SO_SNDBUFFORCE',
  33: 'SO_RCVBUFFORCE',
  36: 'SO_MARK',
  38: 'SO_PROTOCOL',
  39: 'SO_DOMAIN',
  50: 'SO_ATTACH_BPF',
};
/** linux/in.h, linux/netfilter_ipv4/ip_tables.h, linux/netfilter_arp/arp_tables.h. */
const IP: Words = {
  1: 'IP_TOS',
  2: 'IP_TTL',
  10: 'IP_MTU_DISCOVER',
  11: 'IP_RECVERR',
  32: 'IP_MULTICAST_IF',
  35: 'IP_ADD_MEMBERSHIP',
  64: 'IPT_SO_SET_REPLACE',
  96: 'ARPT_SO_SET_REPLACE',
};
/** linux/tcp.h. */
const TCP: Words = {
  1: 'TCP_NODELAY',
  2: 'TCP_MAXSEG',
  3: 'TCP_CORK',
  4: 'TCP_KEEPIDLE',
  5: 'TCP_KEEPINTVL',
  6: 'TCP_KEEPCNT',
  9: 'TCP_DEFER_ACCEPT',
  11: 'TCP_INFO',
  12: 'TCP_QUICKACK',
  13: 'TCP_CONGESTION',
  18: 'TCP_USER_TIMEOUT',
  23: 'TCP_FASTOPEN',
  31: 'TCP_ULP',
};
/** linux/in6.h, linux/netfilter_ipv6/ip6_tables.h. */
const IPV6: Words = {
  16: 'IPV6_UNICAST_HOPS',
  17: 'IPV6_MULTICAST_IF',
  20: 'IPV6_ADD_MEMBERSHIP',
  23: 'IPV6_MTU_DISCOVER',
  25: 'IPV6_RECVERR',
  26: 'IPV6_V6ONLY',
  49: 'IPV6_RECVPKTINFO',
  64: 'IP6T_SO_SET_REPLACE',
  67: 'IPV6_TCLASS',
};
/** linux/if_packet.h. */
const PACKET: Words = {
  1: 'PACKET_ADD_MEMBERSHIP',
  5: 'PACKET_RX_RING',
  8: 'PACKET_AUXDATA',
  10: 'PACKET_VERSION',
  13: 'PACKET_TX_RING',
  18: 'PACKET_FANOUT',
};

/** Options have their names within a level. */
export const OPTIONS_BY_LEVEL: Readonly<Record<number, Words>> = { 0: IP, 1: SOCKET, 6: TCP, 41: IPV6, 263: PACKET };
