/** Builds porin-init and porin-recorder for this machine; make rebuilds only what changed. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { PORIN_DIR } from '../services/instance.js';

export function buildNativePrograms(log: (message: string) => void): void {
  log('building porin-init and porin-recorder');
  const result = spawnSync('make', ['-C', 'native', '--silent', `OUT=${join(PORIN_DIR, 'native')}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (result.status !== 0) throw new Error('native/ could not be built; see the output above');
}
