/**
 * Known vulnerabilities of the kernel with the calls that lead to them: cve.files of shamedgh/confine (MIT), and of our own
 * the arguments that they need, with the fault's place in the kernel.
 */

export interface Vulnerability {
  readonly cve: string;
  /** The calls that lead to the faulty code; where there are several, each may do. */
  readonly calls: readonly string[];
  /** Where the code is reached with certain arguments only: these. */
  readonly needs?: {
    /** By argument; each set is enough. */
    readonly values: readonly Readonly<Record<number, number>>[];
    readonly because: string;
  };
}

const SOL_IP = 0;
const SOL_SOCKET = 1;
const SOL_IPV6 = 41;
const SOL_PACKET = 263;
const option = (level: number, name: number): Readonly<Record<number, number>> => ({ 1: level, 2: name });

export const VULNERABILITIES: readonly Vulnerability[] = [
  { cve: 'CVE-2017-6001', calls: ['perf_event_open'] },
  { cve: 'CVE-2016-0728', calls: ['add_key', 'request_key', 'keyctl'] },
  {
    cve: 'CVE-2016-4997',
    calls: ['setsockopt'],
    needs: {
      values: [option(SOL_IP, 64), option(SOL_IPV6, 64), option(SOL_IP, 96)],
      because:
        "offsets in the compat code of IPT_SO_SET_REPLACE, IP6T_SO_SET_REPLACE and arptables' own, in Linux before 4.6.3 (net/netfilter/x_tables.c)",
    },
  },
  {
    cve: 'CVE-2016-8655',
    calls: ['setsockopt'],
    needs: {
      values: [{ 1: SOL_PACKET }],
      because:
        'PACKET_VERSION races with the setup of a ring in packet_set_ring, in Linux up to 4.8.12 (net/packet/af_packet.c)',
    },
  },
  {
    cve: 'CVE-2016-9793',
    calls: ['setsockopt'],
    needs: {
      values: [option(SOL_SOCKET, 32), option(SOL_SOCKET, 33)],
      because: 'negative sizes of SO_SNDBUFFORCE and SO_RCVBUFFORCE, in Linux before 4.8.14 (net/core/sock.c)',
    },
  },
  {
    cve: 'CVE-2017-6074',
    calls: ['setsockopt'],
    needs: {
      values: [option(SOL_IPV6, 49)],
      because:
        'a DCCP packet is freed twice on a socket with IPV6_RECVPKTINFO, in Linux up to 4.9.11 (net/dccp/input.c)',
    },
  },
  {
    cve: 'CVE-2017-7308',
    calls: ['setsockopt'],
    needs: {
      values: [{ 1: SOL_PACKET }],
      because: 'sizes of blocks in packet_set_ring, in Linux up to 4.10.6 (net/packet/af_packet.c)',
    },
  },
  { cve: 'CVE-2017-5123', calls: ['waitid'] },
  { cve: 'CVE-2017-14140', calls: ['move_pages'] },
  { cve: 'CVE-2017-15274', calls: ['add_key', 'keyctl'] },
  { cve: 'CVE-2019-9857', calls: ['inotify_add_watch'] },
  { cve: 'CVE-2015-7613', calls: ['shmget', 'semget', 'msgget'] },
  { cve: 'CVE-2013-1858', calls: ['unshare'] },
  { cve: 'CVE-2014-7970', calls: ['pivot_root'] },
  {
    cve: 'CVE-2012-3511',
    calls: ['madvise'],
    needs: {
      values: [{ 2: 9 }],
      because: 'MADV_REMOVE races with munmap and close, in Linux before 3.4.5 (mm/madvise.c)',
    },
  },
  { cve: 'CVE-2010-4072', calls: ['shmctl'] },
  { cve: 'CVE-2017-12192', calls: ['keyctl'] },
  { cve: 'CVE-2014-9903', calls: ['sched_getattr'] },
  { cve: 'CVE-2015-7550', calls: ['keyctl'] },
  { cve: 'CVE-2010-4083', calls: ['semctl'] },
  {
    cve: 'CVE-2017-18208',
    calls: ['madvise'],
    needs: {
      values: [{ 2: 3 }],
      because: 'MADV_WILLNEED of a DAX mapping never ends, in Linux before 4.14.4 (mm/madvise.c)',
    },
  },
  { cve: 'CVE-2017-14954', calls: ['waitid'] },
  { cve: 'CVE-2009-3624', calls: ['keyctl'] },
  { cve: 'CVE-2016-9604', calls: ['keyctl'] },
  { cve: 'CVE-2010-4250', calls: ['inotify_init1'] },
  { cve: 'CVE-2015-2686', calls: ['sendto', 'recvfrom'] },
  {
    cve: 'CVE-2018-13053',
    calls: ['clock_nanosleep'],
    needs: {
      values: [{ 0: 8 }, { 0: 9 }],
      because:
        'an overflow with CLOCK_REALTIME_ALARM and CLOCK_BOOTTIME_ALARM, in Linux up to 4.17 (kernel/time/alarmtimer.c)',
    },
  },
  { cve: 'CVE-2012-3375', calls: ['epoll_ctl'] },
  { cve: 'CVE-2016-7911', calls: ['ioprio_get'] },
];
