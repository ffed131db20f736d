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
  return compiledC('test-payload', 'test/support/payload.c');
}

/** Path of a static program in C. `source`: one file, below the project's root. */
export function compiledC(name: string, source: string): string {
  return compiled(name, source, (binary, path) =>
    run('cc', ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-Werror', '-static', '-pthread', '-o', binary, path]),
  );
}

/** Path of a static program in Go that imports nothing but the standard library. `source`: as of compiledC. */
export function compiledGo(name: string, source: string): string {
  return compiled(name, source, (binary, path) =>
    run('go', ['build', '-trimpath', '-o', binary, path], {
      // No network, no module or workspace of a folder above, and nothing of a home directory.
      ...{ CGO_ENABLED: '0', GO111MODULE: 'off', GOENV: 'off', GOFLAGS: '', GOTOOLCHAIN: 'local', GOWORK: 'off' },
      GOCACHE: join(ROOT, '.porin/cache/go-build'),
      GOPATH: join(ROOT, '.porin/cache/go'),
    }),
  );
}

function compiled(name: string, source: string, compile: (binary: string, path: string) => void): string {
  const binary = join(OUT, name);
  const path = join(ROOT, source);
  if (isOlder(binary, [path])) {
    mkdirSync(OUT, { recursive: true });
    compile(binary, path);
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

function run(command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...environment } });
}
