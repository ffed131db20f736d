/** The built porin-init and its sources: how it is hardened, and how large it may become. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nativeInit } from '../support/native.js';

const SOURCES = 'native/init';
const MAX_LINES = 1650;

/** Functions of libc that make a system call or touch memory that they are given, and nothing else. */
const WITHOUT_HEAP = new Set(
  [
    '_exit chdir clock_gettime close execve faccessat fcntl fstat getrusage open setrlimit setsid sigemptyset signal sigprocmask stat syscall',
    'memcmp read readlink snprintf',
    '__errno_location __stack_chk_fail memcpy strchr strchrnul strcpy strlen strncmp',
    '__memcpy_chk __strcpy_chk __open_2 __readlink_chk __snprintf_chk',
  ].flatMap((names) => names.split(' ')),
);

function readelf(...args: string[]): string {
  return execFileSync('readelf', [...args, nativeInit()], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
}

/** What an object needs of others. */
function undefinedSymbols(object: string): string[] {
  const path = join(dirname(nativeInit()), 'init', object);
  return execFileSync('nm', ['--undefined-only', '--format=posix', path], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');
}

describe('porin-init', () => {
  it('is loaded where nobody can know, with nothing writable that was relocated, and no executable stack', () => {
    expect(readelf('-h')).toMatch(/Type:\s+DYN/);
    const segments = readelf('-W', '-l');
    expect(segments).toMatch(/GNU_RELRO/);
    expect(segments).toMatch(/GNU_STACK(\s+0x0+){3}(\s+0x0+){2} RW\s/);
    expect(segments).not.toMatch(/\sRWE\s/);
    expect(segments).not.toMatch(/INTERP/);
    const dynamic = readelf('-d');
    expect(dynamic).toMatch(/BIND_NOW|Flags:.*NOW/);
    expect(dynamic).toMatch(/\(FLAGS_1\).*PIE/);
    expect(dynamic).not.toMatch(/TEXTREL/);
  });

  it('guards its stacks and the bounds of its copies', () => {
    nativeInit();
    expect(undefinedSymbols('notify.o')).toContain('__stack_chk_fail');
    expect(undefinedSymbols('control.o')).toContain('__vsnprintf_chk');
  });

  it.each(['payload.o', 'landlock.o', 'foreign.o'])('uses no heap in the child: %s', (object) => {
    const ours = new Set(['landlock_confine', 'landlock_abi', 'foreign_abi']);
    const others = undefinedSymbols(object).filter((name) => !ours.has(name) && name !== '_GLOBAL_OFFSET_TABLE_');
    expect(others.length).toBeGreaterThan(3);
    expect(others.filter((name) => !WITHOUT_HEAP.has(name))).toEqual([]);
  });

  it(`has under ${MAX_LINES} lines of code`, () => {
    const files = readdirSync(SOURCES).filter((name) => /\.[ch]$/.test(name));
    const lines = files.flatMap((name) =>
      // A comment leaves its line where there is code on it too.
      readFileSync(join(SOURCES, name), 'utf8')
        .replace(/\/\*[^]*?\*\//g, '')
        .split('\n')
        .filter((line) => line.trim() !== ''),
    );
    expect(lines.length).toBeGreaterThan(500);
    expect(lines.length).toBeLessThan(MAX_LINES);
  });
});
