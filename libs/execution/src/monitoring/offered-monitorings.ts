/** What a node can watch, told from what it has. */
import { type Monitoring } from '#lib/profiles';
import { RECORDING_KINDS } from './recording.js';

/** The supervisor's own notification is there wherever porin-init runs; it needs no more than enforcement does. */
export function offeredMonitorings(node: { readonly recorder: boolean; readonly strace: boolean }): Monitoring[] {
  return [
    'none',
    ...(node.recorder ? RECORDING_KINDS : []),
    ...(node.strace ? ['trace' as const] : []),
    'trace-notify',
  ];
}
