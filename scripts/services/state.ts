/** The state file of an instance: where its services are, with which passwords. Mode 0600. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Instance } from './instance.js';

export const SERVICE_NAMES = ['postgres', 'redis', 'docker', 'api', 'dispatcher', 'worker'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

const serviceSchema = z.object({
  url: z.string(),
  /** False when the service was there already and is only used. */
  ours: z.boolean(),
  /** Of a program's code and environment: another one means that it must be started anew. */
  fingerprint: z.string().optional(),
});
const stateSchema = z.object({
  services: z.partialRecord(z.enum(SERVICE_NAMES), serviceSchema),
  /** The ports used last, kept over a stop so that addresses stay the same. */
  ports: z.partialRecord(z.enum(SERVICE_NAMES), z.int().min(1).max(65535)),
});
export type ServiceState = z.infer<typeof serviceSchema>;
export type StackState = z.infer<typeof stateSchema>;

export function readState(instance: Instance): StackState {
  try {
    return parseState(readFileSync(statePath(instance), 'utf8'));
  } catch {
    return parseState('');
  }
}

/** A half-written text reads as "nothing is known": what runs is then found by the pid files. */
export function parseState(text: string): StackState {
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch {
    return { services: {}, ports: {} };
  }
}

/** Written whole under another name first, so that a crash leaves the old state or the new one. */
export function writeState(instance: Instance, state: StackState): void {
  const path = statePath(instance);
  writeFileSync(`${path}.new`, JSON.stringify(state, null, 2), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function statePath(instance: Instance): string {
  return join(instance.directory, 'state.json');
}
