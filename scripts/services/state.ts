/** The state file of an instance: which services run, where, and with which secrets. Mode 0600. */
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Instance } from './instance.js';

const serviceSchema = z.object({
  url: z.string(),
  /** Absent when the service is not ours and is only used. */
  process: z.object({ pid: z.int().positive(), mark: z.string().min(1) }).optional(),
});
const stateSchema = z.object({
  postgres: serviceSchema.optional(),
  redis: serviceSchema.optional(),
  docker: serviceSchema.optional(),
  api: serviceSchema.optional(),
});
export type ServiceState = z.infer<typeof serviceSchema>;
export type StackState = z.infer<typeof stateSchema>;
export type ServiceName = keyof StackState;

/** A missing or half-written file reads as "nothing runs": the services are then found by their own pid files or ports. */
export function readState(instance: Instance): StackState {
  const path = statePath(instance);
  if (!existsSync(path)) return {};
  try {
    return stateSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return {};
  }
}

/** Written whole under another name first, so that a crash leaves the old state or the new one. */
export function writeState(instance: Instance, state: StackState): void {
  const path = statePath(instance);
  writeFileSync(`${path}.new`, JSON.stringify(state, null, 2), { mode: 0o600 });
  chmodSync(`${path}.new`, 0o600);
  renameSync(`${path}.new`, path);
}

export function removeState(instance: Instance): void {
  rmSync(statePath(instance), { force: true });
}

function statePath(instance: Instance): string {
  return join(instance.directory, 'state.json');
}
