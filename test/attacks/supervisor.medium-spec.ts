/** A hostile payload against its supervisor: what it tries, and that porin-init goes on undisturbed. */
import { describe, expect, it } from 'vitest';
import { policyFor, runUnderInit } from '../support/init-container.js';
import { ALLOW, ENOSYS, EPERM, errno, NR, smallFilter } from '../support/small-filter.js';

const X86 = process.arch === 'x64';
const EACCES = errno(13);

/** Runs the attempts and gives the result of each; the payload must live to print them all and end well. */
async function attempts(names: readonly string[], changes: Parameters<typeof policyFor>[1] = {}) {
  const handlers = changes.trace ? { onTrace: () => undefined } : {};
  const { output, end } = await runUnderInit(policyFor(['try', ...names], changes), { handlers });
  expect(end?.exited.end).toEqual({ exitCode: 0 });
  const results = Object.fromEntries(
    output
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
  expect(Object.keys(results)).toEqual(names);
  return { results, denials: end?.denials ?? [] };
}

describe('against PID 1, with a filter that allows nearly everything', () => {
  it('neither traces it nor reads or writes its memory, files and environment', async () => {
    const { results } = await attempts([
      'ptrace-attach-init',
      'ptrace-seize-init',
      'write-init-mem',
      'read-init-environ',
      'read-init-maps',
      'list-init-fds',
      'readv-init',
      'pidfd-getfd-init',
    ]);
    expect(results).toEqual({
      'ptrace-attach-init': 'EPERM',
      'ptrace-seize-init': 'EPERM',
      'write-init-mem': 'EACCES',
      'read-init-environ': 'EACCES',
      'read-init-maps': 'EACCES',
      'list-init-fds': 'EACCES',
      'readv-init': 'EPERM',
      'pidfd-getfd-init': 'EPERM',
    });
  });

  it('neither kills, stops nor deceives it with signals', async () => {
    const { results, denials } = await attempts(
      ['kill-init-kill', 'kill-init-stop', 'kill-init-term', 'kill-init-chld', 'spoof-user', 'spoof-queue', 'getppid'],
      { filter: smallFilter({ denied: { [NR.getppid]: ENOSYS } }) },
    );
    // The kernel lets no process claim SI_USER in another's name; a queued signal arrives and is not forwarded.
    expect(results['spoof-user']).toBe('EPERM');
    // The supervisor still answers afterwards, and nothing reached the payload: it ended well.
    expect(results['getppid']).toBe('ENOSYS');
    expect(denials).toMatchObject([{ call: 'getppid', count: 1 }]);
  });

  it('does not keep it from its work with a flood of signals', async () => {
    const { end, output } = await runUnderInit(policyFor(['flood-init', '20000']));
    expect(output).toBe('flooded\n');
    expect(end?.exited.end).toEqual({ exitCode: 3 });
  });

  it('does not set its limits, also with garbage in the high word of the pid', async () => {
    const { results, denials } = await attempts(['prlimit-init', 'prlimit-init-wide', 'prlimit-self']);
    expect(results).toEqual({ 'prlimit-init': 'EPERM', 'prlimit-init-wide': 'EPERM', 'prlimit-self': 'ok' });
    expect(denials.map(({ description }) => description)).toEqual([
      'prlimit64(pid 1, RLIMIT_CORE)',
      'prlimit64(pid 1, RLIMIT_CPU)',
    ]);
  });

  it('would set them without the guard: the attempt is a real one', async () => {
    const { results } = await attempts(['prlimit-init'], { filter: smallFilter({ guard: false }) });
    expect(results).toEqual({ 'prlimit-init': 'ok' });
  });

  it('does not answer its own calls through a second listener', async () => {
    const { results } = await attempts(['second-listener', 'getppid'], {
      filter: smallFilter({ denied: { [NR.getppid]: ENOSYS } }),
    });
    expect(results).toEqual({ 'second-listener': 'EBUSY', getppid: 'ENOSYS' });
  });
});

describe('around the filter', () => {
  const foreign = X86
    ? ['i386-getppid', 'x32-getppid', 'unknown-1000', 'unknown-minus-one']
    : ['unknown-1000', 'unknown-minus-one'];
  const all = (result: string) => Object.fromEntries(foreign.map((name) => [name, result]));

  it('calls of another ABI and unknown numbers are refused and named', async () => {
    const { results, denials } = await attempts(foreign);
    expect(results).toEqual(all('ENOSYS'));
    expect(denials.map(({ architecture, number }) => `${architecture} ${number}`)).toEqual(
      X86 ? ['i386 64', `x32 ${0x40000000 + 110}`, 'x86_64 1000', 'x86_64 -1'] : ['aarch64 1000', 'aarch64 -1'],
    );
  });

  it.runIf(X86)('calls of another ABI never go on in a trace, even where the answer program lets them', async () => {
    const { results } = await attempts(['i386-getppid', 'x32-getppid'], {
      filter: smallFilter({ foreign: ALLOW, notifyAll: true }),
      trace: { maximumBytes: 1_000_000 },
    });
    expect(results).toEqual({ 'i386-getppid': 'ENOSYS', 'x32-getppid': 'ENOSYS' });
  });

  it('the errno is the one that the answer program gives', async () => {
    const { results } = await attempts(['open-passwd', 'unshare-user'], {
      filter: smallFilter({ denied: { [NR.openat]: EACCES, [NR.unshare]: EPERM } }),
    });
    expect(results).toEqual({ 'open-passwd': 'EACCES', 'unshare-user': 'EPERM' });
  });
});

describe('the engine’s own filter, under ours', () => {
  it('refuses new namespaces and weak personalities, and lets libc fall back from clone3', async () => {
    const { results } = await attempts([
      'clone-user',
      'clone3',
      'personality-random',
      'personality-mixed',
      'personality-query',
    ]);
    expect(results).toEqual({
      'clone-user': 'EPERM',
      clone3: 'ENOSYS',
      'personality-random': 'EPERM',
      'personality-mixed': 'EPERM',
      'personality-query': 'ok',
    });
  });
});
