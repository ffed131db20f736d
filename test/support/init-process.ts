/** Runs porin-init in namespaces of its own and no container: for tests of very many runs, which an engine would make slow. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlSocket } from '../../libs/execution/src/sandbox/control-socket.js';
import { type PayloadEnd, type PayloadHandlers } from '../../libs/execution/src/sandbox/payload-report.js';
import { type Denial, DenialList } from '#lib/execution';
import { renderPolicy, type SandboxPolicy } from '../../libs/execution/src/sandbox/policy-text.js';
import { nativeInit } from './native.js';

const CONNECT_TIMEOUT_MS = 60_000;
/** porin-init is the first process of a PID namespace, as in a container; all else is the test's own. */
const UNSHARE = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child'];

export async function runUnderBareInit(
  policy: SandboxPolicy,
  handlers?: PayloadHandlers,
): Promise<PayloadEnd & { readonly denials: readonly Denial[] }> {
  const list = new DenialList();
  const directory = mkdtempSync(join(tmpdir(), 'porin-'));
  const token = randomBytes(32).toString('hex');
  const control = await ControlSocket.listen(join(directory, 'c.sock'), token);
  const child = spawn('unshare', [...UNSHARE, nativeInit()], {
    stdio: 'ignore',
    env: { PATH: process.env.PATH, PORIN_CONTROL: control.path, PORIN_TOKEN: token },
  });
  try {
    await control.accept(CONNECT_TIMEOUT_MS);
    await control.sendPolicy(renderPolicy(policy));
    const start = await control.go();
    if (start.kind === 'failed') throw new Error(`the payload failed to start at ${start.stage}`);
    return { ...(await control.finished(list, handlers)), denials: list.denials };
  } finally {
    control.close();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    rmSync(directory, { recursive: true });
  }
}
