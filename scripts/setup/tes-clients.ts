/** The clients of TES that are written in Python, py-tes and Snakemake among them, as the tests and the demo run them. */
import { join } from 'node:path';
import { ROOT } from './paths.js';
import { installPython } from './python-environment.js';

export const TES_CLIENTS = join(ROOT, 'scripts/setup/tes-clients.txt');

/** The folder of the environment, which is made now where it is missing. */
export function tesClients(): string {
  return installPython({ requirements: TES_CLIENTS, proof: ['snakemake', '--version'], onlyWheels: false });
}
