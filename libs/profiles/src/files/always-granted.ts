/** What every run may do with files whatever its profile says, with the reason for each; no profile repeats it. */
import { type FileRight, type FileRule } from '../model/files.js';

export interface AlwaysGranted extends FileRule {
  readonly reason: string;
}

const always = (path: string, rights: readonly FileRight[], reason: string): AlwaysGranted => ({
  path,
  rights,
  reason,
});

/** What libraries read as a matter of course, depending on input, environment and node. None holds a secret. */
const trees = (reason: string, paths: readonly string[]): readonly AlwaysGranted[] =>
  paths.map((path) => always(path, ['read'], reason));

export const ALWAYS_GRANTED: readonly AlwaysGranted[] = [
  always('{inputs}', ['read'], "the job's inputs are there to be read"),
  always('{outputs}', ['read', 'write', 'create'], "the job's outputs are collected from there"),
  always('{temporary}', ['read', 'write', 'create'], 'scratch of this run alone, gone with it'),
  always('/dev/null', ['read', 'write'], 'holds nothing'),
  always('/dev/zero', ['read', 'write'], 'holds nothing; memory is mapped from it'),
  always('/dev/random', ['read'], 'random numbers, where getrandom is not used'),
  always('/dev/urandom', ['read'], 'random numbers, where getrandom is not used'),
  // The child of porin-init opens it before it executes the payload, as which it lives on: its own directory, and no other.
  always(
    '/proc/self',
    ['read'],
    "what the payload's first process may know of itself; C libraries look up stack and limits",
  ),
  always('/proc/cpuinfo', ['read'], 'libraries choose their code by the processor, so it differs from node to node'),
  always('/proc/meminfo', ['read'], 'libraries size their buffers by it, if the input is large enough'),
  always('/proc/stat', ['read'], 'the number of processors, where /sys does not tell'),
  always('/proc/loadavg', ['read'], 'programs choose their number of threads by it'),
  always('/proc/uptime', ['read'], 'programs tell time by it'),
  always('/proc/version', ['read'], 'what kernel it is, where uname is not used'),
  always(
    '/proc/filesystems',
    ['read'],
    'the list of file systems that the kernel knows, which libraries of SELinux read',
  ),
  always('/proc/sys/kernel', ['read'], 'limits and versions of the kernel, which runtimes read'),
  always('/proc/sys/vm', ['read'], 'how the kernel gives memory, which runtimes and allocators read'),
  always('/sys/devices/system/cpu', ['read'], 'one directory for each processor, so it differs from node to node'),
  always('/sys/devices/system/node', ['read'], 'one directory for each memory node, so it differs from node to node'),
  always('/sys/kernel/mm', ['read'], 'how the kernel uses large pages, which allocators and runtimes read'),
  always('/sys/fs/cgroup', ['read'], 'the limits of its own container, by which runtimes size themselves'),
  ...trees('fonts, which a program chooses by what it draws', [
    ...['/etc/fonts', '/usr/share/fonts', '/usr/local/share/fonts', '/usr/share/fontconfig', '/var/cache/fontconfig'],
  ]),
  ...trees('names, formats and letters of languages, which a program chooses by its environment and its messages', [
    ...['/usr/lib/locale', '/usr/share/locale', '/usr/share/i18n', '/usr/share/X11/locale', '/etc/locale.alias'],
    ...[
      '/etc/default/locale',
      '/etc/locale.conf',
      '/usr/lib/x86_64-linux-gnu/gconv',
      '/usr/lib/aarch64-linux-gnu/gconv',
    ],
    ...['/usr/lib64/gconv', '/usr/lib/gconv'],
  ]),
  ...trees('how terminals work, which a program chooses by its environment', [
    ...['/etc/terminfo', '/lib/terminfo', '/usr/lib/terminfo', '/usr/share/terminfo'],
  ]),
  ...trees('time zones, which a program chooses by its environment and its input', [
    ...['/usr/share/zoneinfo', '/etc/localtime', '/etc/timezone'],
  ]),
  ...trees('certificates of authorities, and how libraries use them', [
    ...['/etc/ssl/certs', '/etc/ssl/openssl.cnf', '/usr/lib/ssl', '/usr/share/ca-certificates', '/etc/pki/tls/certs'],
    ...['/etc/pki/ca-trust', '/etc/ca-certificates', '/etc/crypto-policies'],
  ]),
  ...trees('where names of hosts, users and services are looked up, and what they mean everywhere', [
    ...['/etc/nsswitch.conf', '/etc/host.conf', '/etc/hosts', '/etc/resolv.conf', '/etc/services', '/etc/protocols'],
    ...['/etc/gai.conf'],
  ]),
  ...trees('where the dynamic linker finds libraries', ['/etc/ld.so.cache', '/etc/ld.so.conf', '/etc/ld.so.conf.d']),
  ...trees('types of files by their names and first bytes', [
    ...['/etc/magic', '/usr/share/misc', '/usr/share/mime', '/etc/mime.types'],
  ]),
];
