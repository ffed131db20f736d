/** The calls that calls.c measures, and what it prints about them. */

export const CALLS = ['getppid', 'fcntl(F_GETFL)', 'open+read+close', 'stat', 'pipe-ping-pong', 'clone'] as const;
/** Made by a program whose profile has none of them. */
export const REFUSED_CALLS = ['getppid', 'openat'] as const;

/** @throws Error for anything but one line `<call> <ns>` for each call */
export function parseCalls(stdout: string, calls: readonly string[]): Readonly<Record<string, number>> {
  const entries = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const nsPerCall = Object.fromEntries(entries.map(([name = '', ns]) => [name, Number(ns)]));
  if (entries.length !== calls.length || calls.some((call) => !((nsPerCall[call] ?? NaN) > 0))) {
    throw new Error(`calls printed something else than times: ${stdout}`);
  }
  return nsPerCall;
}
