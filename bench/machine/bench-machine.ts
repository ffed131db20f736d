/** The machine as a bench of levels needs it: cores shared out, an engine, a memory file system, a recorder. */
import { join } from 'node:path';
import { Engine, Recorder } from '#lib/execution';
import Docker from 'dockerode';
import { startStack } from '../../scripts/services/stack.js';
import { stopStack } from '../../scripts/services/stop-stack.js';
import { NATIVE_DIR } from '../../scripts/setup/paths.js';
import { type BenchOptions } from '../bench-options.js';
import { BenchRuns } from '../runs/bench-runs.js';
import { raiseCpuPriority } from './cpu-priority.js';
import { type Environment, readEnvironment } from './environment.js';
import { pinEverythingElse } from './pinning.js';
import { Tmpfs } from './tmpfs.js';

export interface PreparedMachine {
  readonly docker: Docker;
  readonly environment: Environment;
  readonly runs: BenchRuns;
  /** In memory. */
  readonly directory: string;
}

/** Everything is given back afterwards. */
export async function onBenchMachine<T>(
  { log, stop, seed }: Pick<BenchOptions, 'log' | 'stop' | 'seed'>,
  work: (machine: PreparedMachine) => Promise<T>,
): Promise<T> {
  // An engine left over from a bench that was killed is pinned nowhere.
  await stopStack('bench', log);
  const cpus = pinEverythingElse();
  log(`seed ${seed}; payloads on CPU ${cpus.payload}, everything else on CPU ${cpus.rest.join(',')}`);
  const lowerPriority = raiseCpuPriority();
  if (!lowerPriority) log('the payloads have no priority over what else runs here');
  let memory: Tmpfs | undefined;
  let recorder: Recorder | undefined;
  try {
    const { instance, dockerHost } = await startStack({ instance: 'bench', log, signal: stop });
    await stopStack('bench', log, ['postgres', 'redis']);
    const socketPath = dockerHost.replace(/^unix:\/\//, '');
    const docker = new Docker({ socketPath });
    const environment = await readEnvironment(docker, seed);
    memory = Tmpfs.mount(instance);
    recorder = await Recorder.start({ binaryPath: join(NATIVE_DIR, 'porin-recorder') });
    const runs = new BenchRuns({
      engine: new Engine(socketPath),
      recorder,
      initPath: join(NATIVE_DIR, 'porin-init'),
      runDirectory: join(instance.runDirectory, 'b'),
      directory: memory.path,
      cpuset: String(cpus.payload),
      stop,
    });
    return await work({ docker, environment, runs, directory: memory.path });
  } finally {
    await recorder?.close();
    await stopStack('bench', log);
    memory?.unmount();
    lowerPriority?.();
  }
}
