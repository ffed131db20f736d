/** A lock between processes, held by util-linux's flock and let go by the kernel however this process ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const NOTICE_AFTER_MS = 500;

/** Calls `onWait` once when somebody else holds it. Returns the function that lets it go. */
export async function acquireLock(path: string, onWait: () => void): Promise<() => Promise<void>> {
  // The holder ends when its input closes, which the kernel does for a killed process too. A session of its own keeps
  // the terminal's Ctrl-C from it, so that the lock outlasts the clean-up.
  const holder = spawn('flock', [path, 'sh', '-c', 'echo locked; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const notice = setTimeout(onWait, NOTICE_AFTER_MS);
  try {
    const failed = once(holder, 'exit').then(() => {
      throw new Error(`the lock ${path} cannot be taken`);
    });
    await Promise.race([once(holder.stdout, 'data'), failed]);
    failed.catch(() => undefined);
  } finally {
    clearTimeout(notice);
  }
  return async () => {
    const gone = once(holder, 'exit');
    holder.stdin.end();
    await gone;
  };
}
