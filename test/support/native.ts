/** Builds the native programs and the sandbox tests' payload when they are missing or older than their sources. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const OUT = join(ROOT, '.porin/native');

/** Path of porin-init. */
export function nativeInit(): string {
  const binary = join(OUT, 'porin-init');
  const source = join(ROOT, 'native/init');
  if (isOlder(binary, sourcesBelow(source))) run('make', ['-C', source, `OUT=${OUT}`]);
  return binary;
}

/** Path of porin-recorder with ASan and UBSan. */
export function sanitizedRecorder(): string {
  run('make', ['--silent', '-C', join(ROOT, 'native/recorder'), `OUT=${OUT}`, 'sanitize']);
  return join(OUT, 'recorder-build/porin-recorder-sanitized');
}

/** Path of test/support/payload.c, compiled. */
export function testPayload(): string {
  const binary = join(OUT, 'test-payload');
  const source = join(ROOT, 'test/support/payload.c');
  if (isOlder(binary, [source])) {
    mkdirSync(OUT, { recursive: true });
    run('cc', ['-O1', '-Wall', '-Wextra', '-Werror', '-static', '-pthread', '-o', binary, source]);
  }
  return binary;
}

function sourcesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[ch]$|Makefile$/.test(name))
    .map((name) => join(directory, name));
}

function isOlder(binary: string, sources: readonly string[]): boolean {
  if (!existsSync(binary)) return true;
  const built = statSync(binary).mtimeMs;
  return sources.some((source) => statSync(source).mtimeMs > built);
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
