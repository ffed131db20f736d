/** porin-init as the first process of real containers: the gate, the payload's start, its end, and what is reported. */
import { nodeArchitecture } from '#lib/profiles';
import { DenialList } from '#lib/execution';
import { describe, expect, it } from 'vitest';
import { ControlChannelError } from '../../libs/execution/src/sandbox/control-error.js';
import { renderPolicy } from '../../libs/execution/src/sandbox/policy-text.js';
import { CONNECT_TIMEOUT_MS, InitContainer, policyFor, runUnderInit } from '../support/init-container.js';
import { ALLOW, ENOSYS, EPERM, errno, KILL, NR, smallFilter } from '../support/small-filter.js';

const ENOENT = 2;
const ENOEXEC = 8;
const EACCES = 13;

async function withContainer(
  options: Parameters<typeof InitContainer.start>[0],
  use: (running: InitContainer) => Promise<void>,
): Promise<void> {
  const running = await InitContainer.start(options);
  try {
    await use(running);
  } finally {
    await running.remove();
  }
}

describe('the payload', () => {
  it('ends with its exit code, which is the container’s too', async () => {
    const { end, exitCode } = await runUnderInit(policyFor(['exit', '42']));
    expect(end?.exited.end).toEqual({ exitCode: 42 });
    expect(exitCode).toBe(42);
    expect(end?.exited.wallUs).toBeGreaterThan(0);
    expect(end?.exited.maxRssKib).toBeGreaterThan(0);
    expect(end).toMatchObject({ denials: [], denialsDropped: 0 });
  });

  it('ends with the signal that killed it', async () => {
    const { end, exitCode } = await runUnderInit(policyFor(['signal', '11']));
    expect(end?.exited.end).toEqual({ signal: 11 });
    expect(exitCode).toBe(128 + 11);
  });

  it('starts with exactly what the policy says, and nothing of porin-init', async () => {
    const { output } = await runUnderInit(
      policyFor(['self', '', 'two words', 'ü\n'], {
        environment: { PATH: '/bin', EMPTY: '', NAME: 'a=b' },
        workingDirectory: '/etc',
        rlimits: { NOFILE: { soft: 100, hard: 200 } },
      }),
    );
    const lines = output.trim().split('\n');
    expect(lines.filter((line) => line.startsWith('fd '))).toEqual(['fd 0', 'fd 1', 'fd 2']);
    expect(output).toContain('arg []\narg [two words]\narg [ü\n]\n');
    expect(lines.filter((line) => line.startsWith('env '))).toEqual(['env PATH=/bin', 'env EMPTY=', 'env NAME=a=b']);
    expect(lines).toEqual(
      expect.arrayContaining(['directory /etc', 'session own', 'signals default', 'nofile 100 200', 'no_new_privs 1']),
    );
  });

  it('is found in the PATH of the policy', async () => {
    const { end } = await runUnderInit(policyFor([], { arguments: ['found-in-path', 'exit', '3'] }));
    expect(end?.exited.end).toEqual({ exitCode: 3 });
  });

  it('takes an argument as long as the kernel allows', async () => {
    const long = 'x'.repeat(128 * 1024 - 1);
    const { output } = await runUnderInit(policyFor(['self', long]));
    expect(output).toContain(`arg [${long}]`);
  });

  it('gets signals that come from outside, and none that it sends itself', async () => {
    const { end, output } = await runUnderInit(policyFor(['term']), {
      during: async ({ container }) => {
        // The handler is there once the payload says so.
        for (let text = ''; !text.includes('waiting');) {
          text = (await container.logs({ stdout: true })).toString();
        }
        await container.kill({ signal: 'SIGTERM' });
      },
    });
    expect(output).toContain('terminated');
    expect(end?.exited.end).toEqual({ exitCode: 5 });
  });

  it('is killed on the worker’s word and still reported', async () => {
    const { end } = await runUnderInit(policyFor(['sleep', '600']), {
      during: async ({ control }) => {
        control.kill();
        await Promise.resolve();
      },
    });
    expect(end?.exited.end).toEqual({ signal: 9 });
  });

  it('takes down with it every process it leaves behind', async () => {
    const { end, output } = await runUnderInit(policyFor(['daemons']));
    expect(output).toContain('left');
    expect(end?.exited.end).toEqual({ exitCode: 7 });
  });

  it('cannot fork beyond its limit, and ends', async () => {
    const { end, output } = await runUnderInit(
      // A user that no other test has: the limit counts over the machine.
      policyFor(['storm'], { rlimits: { NPROC: { soft: 40, hard: 40 } } }),
      { user: '61234:61234' },
    );
    const made = Number(/made (\d+) then EAGAIN/.exec(output)?.[1]);
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThan(40);
    expect(end?.exited.end).toEqual({ exitCode: 0 });
  });
});

describe('a payload that cannot be executed', () => {
  it.each([
    ['/missing', { stage: 'exec', errno: ENOENT }],
    ['/not-executable', { stage: 'exec', errno: EACCES }],
    ['/garbage', { stage: 'exec', errno: ENOEXEC }],
    ['not-in-path', { stage: 'lookup', errno: ENOENT }],
    ['not-executable', { stage: 'lookup', errno: EACCES }],
  ])('fails with the reason: %s', async (name, failure) => {
    const { start, end, exitCode } = await runUnderInit(policyFor([], { arguments: [name] }));
    expect(start).toEqual({ kind: 'failed', ...failure });
    expect(end).toBeUndefined();
    expect(exitCode).toBe(127);
  });

  it('fails where the working directory does not exist', async () => {
    const { start } = await runUnderInit(policyFor(['exit', '0'], { workingDirectory: '/missing' }));
    expect(start).toEqual({ kind: 'failed', stage: 'directory', errno: ENOENT });
  });

  it('fails where a limit cannot be set', async () => {
    const { start } = await runUnderInit(
      policyFor(['exit', '0'], { rlimits: { NOFILE: { soft: 64, hard: 2_000_000_000 } } }),
    );
    expect(start).toMatchObject({ kind: 'failed', stage: 'rlimit' });
  });
});

describe('a call outside the profile', () => {
  it('is refused in enforce, and reported with its arguments and path', async () => {
    const { end, output } = await runUnderInit(
      policyFor(['try', 'open-passwd', 'socket-raw', 'open-unmapped', 'connect'], {
        filter: smallFilter({ denied: { [NR.openat]: EPERM, [NR.socket]: ENOSYS, [NR.connect]: EPERM } }),
      }),
    );
    expect(output.trim().split('\n')).toEqual([
      'open-passwd EPERM',
      'socket-raw ENOSYS',
      'open-unmapped EPERM',
      'connect EPERM',
    ]);
    expect(end?.denials.map(({ description }) => description)).toEqual([
      'openat("/etc/passwd", O_RDONLY|O_CLOEXEC)',
      'socket(AF_INET, SOCK_RAW, 1)',
      'openat(unreadable, O_RDONLY)',
      'connect(10.0.0.1:4444)',
    ]);
    expect(end?.denials[1]).toMatchObject({
      call: 'socket',
      number: NR.socket,
      architecture: nodeArchitecture(process.arch),
      action: 'refused',
      errno: 'ENOSYS',
      count: 1,
    });
    expect(end?.denials[1]?.arguments.slice(0, 3)).toEqual(['0x2', '0x3', '0x1']);
  });

  it('never goes on without a trace, whatever the answer program says', async () => {
    const filter = smallFilter({ denied: { [NR.openat]: ALLOW } });
    const { end, output } = await runUnderInit(policyFor(['try', 'open-passwd'], { filter }));
    expect(output).toBe('open-passwd ENOSYS\n');
    expect(end?.denials).toMatchObject([{ call: 'openat', action: 'refused', errno: 'ENOSYS', count: 1 }]);
  });

  it('is answered by the kernel and not reported where the filter refuses it quietly', async () => {
    const filter = smallFilter({ denied: { [NR.socket]: EPERM }, quiet: { [NR.getppid]: errno(13) } });
    const { end, output } = await runUnderInit(policyFor(['try', 'getppid', 'socket-raw'], { filter }));
    expect(output).toBe('getppid EACCES\nsocket-raw EPERM\n');
    expect(end?.denials.map(({ call }) => call)).toEqual(['socket']);
  });

  it('ends the payload where the profile says so', async () => {
    const { end, output } = await runUnderInit(
      policyFor(['try', 'unshare-user', 'getppid'], { filter: smallFilter({ denied: { [NR.unshare]: KILL } }) }),
    );
    expect(output).toBe('');
    expect(end?.exited.end).toEqual({ signal: 9 });
    expect(end?.denials).toMatchObject([{ action: 'killed', description: 'unshare(CLONE_NEWUSER)' }]);
  });

  it('is counted exactly and reported once', async () => {
    const first: string[] = [];
    const denials = new DenialList((position) => first.push(`${position} ${denials.at(position)?.count}`));
    const running = await InitContainer.start();
    try {
      await running.control.accept(CONNECT_TIMEOUT_MS);
      const filter = smallFilter({ denied: { [NR.getppid]: ENOSYS } });
      await running.control.sendPolicy(renderPolicy(policyFor(['repeat-getppid', '5000'], { filter })));
      await running.control.go();
      await running.control.finished(denials);
      expect(first[0]).toBe('0 1');
      expect(denials.denials).toMatchObject([{ call: 'getppid', count: 5000 }]);
    } finally {
      await running.remove();
    }
  });

  it('is reported for 256 shapes, and the rest counted', async () => {
    const { end } = await runUnderInit(
      policyFor(['shapes', '300'], { filter: smallFilter({ denied: { [NR.openat]: EPERM } }) }),
    );
    expect(end?.denials).toHaveLength(256);
    expect(new Set(end?.denials.map(({ count }) => count))).toEqual(new Set([2]));
    expect(end?.denialsDropped).toBe(2 * (300 - 256));
  });

  it.each([400, 100_000])('is reported behind %i shapes of another call', async (count) => {
    const filter = smallFilter({ denied: { [NR.openat]: EPERM, [NR.mkdirat]: EPERM } });
    const { end } = await runUnderInit(policyFor(['hide', String(count)], { filter }));
    expect(end?.denials).toHaveLength(257);
    expect(end?.denials.at(-1)).toMatchObject({
      description: expect.stringMatching(/^mkdirat\("\/etc\/cron.d"/),
      count: 1,
    });
    expect(end?.denialsDropped).toBe(count - 256);
  });

  it('is reported as unreadable where the payload has closed its memory', async () => {
    const { end } = await runUnderInit(
      policyFor(['undumpable-open'], { filter: smallFilter({ denied: { [NR.openat]: EPERM } }) }),
    );
    expect(end?.denials).toMatchObject([{ description: 'openat(unreadable, O_RDONLY|O_CLOEXEC)' }]);
  });

  it('is an execve, once the payload has started', async () => {
    const { end } = await runUnderInit(policyFor(['exec', '/payload', 'exit', '0']));
    expect(end?.exited.end).not.toEqual({ exitCode: 0 });
    expect(end?.denials).toMatchObject([{ description: 'execve("/payload")', errno: 'ENOSYS' }]);
  });
});

describe('the control channel', () => {
  it('says who it is, and removes the socket’s name', async () => {
    await withContainer({}, async ({ control }) => {
      const hello = await control.accept(CONNECT_TIMEOUT_MS);
      expect(hello).toMatchObject({ protocol: 5, pid: 1 });
      expect(hello.initVersion).toMatch(/^\d+\.\d+\.\d+$/);
      expect(hello.kernel).toMatch(/^\d+\.\d+/);
      const { existsSync } = await import('node:fs');
      expect(existsSync(control.path)).toBe(false);
    });
  });

  it('refuses a peer with another token', async () => {
    await withContainer({ token: 'a'.repeat(64), listenFor: 'b'.repeat(64) }, async (running) => {
      await expect(running.control.accept(CONNECT_TIMEOUT_MS)).rejects.toMatchObject({ code: 'wrong-token' });
      expect(await running.exitCode()).toBe(76);
    });
  });

  it.each([
    ['garbage', 'garbage\n'],
    ['a policy cut short', 'policy 5\nend\n'],
    ['another version', renderPolicy(policyFor(['exit', '0'])).replace('policy 5', 'policy 4')],
    ['an unknown field', renderPolicy(policyFor(['exit', '0'])).replace('\nend', '\nroot yes\nend')],
    ['a filter that is none', renderPolicy(policyFor(['exit', '0'])).replace(/\nfilter .*/, '\nfilter AAAAAAAAAAA=')],
    [
      'a quiet refusal with errno 0, which would look like success',
      renderPolicy(policyFor(['exit', '0'], { filter: smallFilter({ quiet: { [NR.getppid]: errno(0) } }) })),
    ],
  ])('ends with nothing run after %s', async (_name, text) => {
    await withContainer({}, async (running) => {
      await running.control.accept(CONNECT_TIMEOUT_MS);
      const error: unknown = await running.control.sendPolicy(text).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ControlChannelError);
      expect(error).toMatchObject({ code: 'unexpected-message' });
      expect(await running.exitCode()).toBe(76);
    });
  });

  it('ends the payload when the worker hangs up', async () => {
    await withContainer({}, async (running) => {
      await running.control.accept(CONNECT_TIMEOUT_MS);
      await running.control.sendPolicy(renderPolicy(policyFor(['sleep', '600'])));
      await running.control.go();
      running.control.close();
      expect(await running.exitCode()).toBe(76);
    });
  });

  it('ends on SIGTERM before the gate opens, with nothing run', async () => {
    await withContainer({}, async (running) => {
      await running.control.accept(CONNECT_TIMEOUT_MS);
      await running.container.kill({ signal: 'SIGTERM' });
      expect(await running.exitCode()).toBe(128 + 15);
    });
  });

  it('does not begin where porin-init is not the first process', async () => {
    await withContainer({ hostConfig: { Init: true } }, async (running) => {
      expect(await running.exitCode()).toBe(64);
      expect(await running.text()).toContain('must be the first process');
    });
  });
});
