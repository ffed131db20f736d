/** Ends what a killed engine leaves behind: its containerd, the shims, and the containers below them. */
import { readdirSync } from 'node:fs';
import { parseStat, readProcFile } from './daemon.js';
import { type Instance } from './instance.js';

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly commandLine: string;
}

export function killLeftContainers(instance: Instance): void {
  for (const pid of leftProcesses(readProcesses(), instance.runDirectory)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended between the look and the kill.
    }
  }
}

/** containerd and its shims name the engine's run directory; a container is known only as a shim's child. */
export function leftProcesses(processes: readonly Process[], runDirectory: string): number[] {
  const found = processes.filter(
    ({ commandLine }) =>
      /^(\S*\/)?containerd(-shim[^\s\0]*)?\0/.test(commandLine) && commandLine.includes(`${runDirectory}/exec/`),
  );
  for (const parent of found) found.push(...processes.filter((child) => child.parent === parent.pid));
  return [...new Set(found.map(({ pid }) => pid))];
}

function readProcesses(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const pid = Number(name);
        return [
          { pid, parent: parseStat(readProcFile(pid, 'stat')).parent, commandLine: readProcFile(pid, 'cmdline') },
        ];
      } catch {
        return [];
      }
    });
}
