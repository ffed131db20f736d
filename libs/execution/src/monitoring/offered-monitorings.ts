/** What a node can watch, told from what it has. */
import { type Monitoring } from '#lib/profiles';
import { RECORDING_KINDS } from './recording.js';

/**
 * The supervisor's own trace needs no more than enforcement does, so every node could make it. But a call that it holds may
 * answer EINTR to a program that does not expect it: it is for nodes that have nothing else.
 */
export function offeredMonitorings(node: { readonly recorder: boolean; readonly strace: boolean }): Monitoring[] {
  return [
    'none',
    ...(node.recorder ? RECORDING_KINDS : []),
    ...(node.strace ? (['trace'] as const) : []),
    ...(node.recorder || node.strace ? [] : (['trace-notify'] as const)),
  ];
}
