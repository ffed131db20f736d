/** Recordings for the specs of this folder: one of a real program, and small ones made for the case. */
import { readFileSync } from 'node:fs';
import { type FileAccess, type FileUse, type Recording } from '../model/recording.js';
import { type Places } from './places.js';

/** Of the job that edf-normalize.uses.txt is from. */
export const EDF_PLACES: Places = { inputs: ['/in/recording.edf'], outputs: ['/out'], temporary: ['/tmp', '/dev/shm'] };

/**
 * What `python3 -m edf_normalize` did in its image, Debian with numpy, with paths as the kernel resolved them: lines of
 * access, result, count and path.
 */
export function edfUses(): readonly FileUse[] {
  return readFileSync(new URL('./edf-normalize.uses.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map(useOf);
}

/** "read /etc/hosts", or with a result in the middle: "read ENOENT 2 /etc/hosts". */
export function useOf(line: string): FileUse {
  const [access, result = 'ok', count = '1', path = ''] =
    /^\S+ \//.test(line) || /^\S+ \{/.test(line)
      ? [line.split(' ', 1)[0], 'ok', '1', line.slice(line.indexOf(' ') + 1)]
      : (/^(\S+) (\S+) (\d+) (.*)$/.exec(line)?.slice(1) ?? []);
  return { access: access as FileAccess, result, count: Number(count), path, resolved: result === 'ok' };
}

export function recordingOf(uses: readonly (FileUse | string)[], other: Partial<Recording> = {}): Recording {
  return {
    version: 1,
    architecture: 'x86_64',
    calls: { read: 1 },
    certificate: {
      armedBeforeStart: true,
      started: true,
      cleanDrain: true,
      payloadEndedOnItsOwn: true,
      compatCalls: 0,
      x32Calls: 0,
      unknownCalls: 0,
      ioUringSetups: 0,
      recursionMisses: 0,
      mapFailures: 0,
      foreignProcesses: 0,
      supervisorCalls: 0,
      execs: 1,
    },
    partialReasons: [],
    files: uses.map((use) => (typeof use === 'string' ? useOf(use) : use)),
    ...other,
  };
}

/** "/usr/lib read", one for each rule. */
export function lines(rules: readonly { readonly path: string; readonly rights: readonly string[] }[]): string[] {
  return rules.map(({ path, rights }) => `${path} ${rights.join(' ')}`);
}
