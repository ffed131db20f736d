/** Calls of other ABIs are refused before the recorder can see them: what porin-init counted of them belongs into the recording. */
import { PARTIAL_REASONS, type PartialReason, type Recording } from '#lib/profiles';
import { type ForeignCalls } from '../sandbox/control-message.js';

/** With any such call the recording is partial: what the program does by other numbers, no profile says. */
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
      compatCalls: certificate.compatCalls + compat,
      x32Calls: certificate.x32Calls + x32,
    },
    partialReasons: PARTIAL_REASONS.filter((reason) => reasons.includes(reason)),
  };
}
