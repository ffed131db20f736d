/** Enters the calls of other ABIs that porin-init refused into a recording, whether or not its recorder saw them. */
import { PARTIAL_REASONS, type PartialReason, type Recording } from '#lib/profiles';
import { type ForeignCalls } from '../sandbox/control-message.js';

/**
 * With any such call the recording is partial: what the program does by other numbers, no profile says. The recorder sees
 * refused calls on their way out where the kernel traces that; so both count the same calls, and one count may lack some.
 */
export function withForeignCalls(recording: Recording, { compat, x32 }: Omit<ForeignCalls, 'kind'>): Recording {
  const { certificate } = recording;
  const reasons: readonly PartialReason[] = [
    ...recording.partialReasons,
    ...(compat > 0 ? (['compat-calls'] as const) : []),
    ...(x32 > 0 ? (['x32-calls'] as const) : []),
  ];
  return {
    ...recording,
    certificate: {
      ...certificate,
      compatCalls: Math.max(certificate.compatCalls, compat),
      x32Calls: Math.max(certificate.x32Calls, x32),
    },
    partialReasons: PARTIAL_REASONS.filter((reason) => reasons.includes(reason)),
  };
}
