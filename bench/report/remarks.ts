/** What has to be known beside a bench's table: where it was made, and what did not go as planned. */
import { type Environment } from '../machine/environment.js';
import { type Measurement } from '../measure/measurement.js';

export const EXIT_PROVES_NOTHING = 3;

export function describeEnvironment({
  cpuModel,
  cores,
  kernel,
  engine,
  speculationStoreBypass,
  seed,
}: Environment): string {
  return `${cpuModel}, ${cores} cores, Linux ${kernel}, ${engine},
Speculation_Store_Bypass: ${speculationStoreBypass}; seed ${seed}`;
}

export function describeRemarks({
  denials,
  partial,
  failures,
}: Pick<Measurement, 'denials' | 'partial' | 'failures'>): string {
  const calls = [...denials].map(([what, count]) => `${what} ${count}`).join(', ');
  return [
    `Calls outside the profile during measured runs: ${calls || 'none'}.`,
    ...[...partial].map(([what, reasons]) => `Recorded in part only: ${what} (${reasons.join(', ')}).`),
    ...[...failures].map(([what, why]) => `Given up: ${what}: ${why}`),
  ].join('\n');
}
