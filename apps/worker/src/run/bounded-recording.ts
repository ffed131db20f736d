/** Keeps a recording to a size that the database and its readers can take: a payload chooses how long its paths are. */
import { PARTIAL_REASONS, type Recording } from '#lib/profiles';

/** Of its JSON text. Sixteen thousand paths of a usual length are three. */
const MAXIMUM_BYTES = 16 * 1024 ** 2;

/** What is larger loses its lists, and is partial for that; the calls by name stay. */
export function boundedRecording(recording: Recording, maximumBytes = MAXIMUM_BYTES): Recording {
  if (Buffer.byteLength(JSON.stringify(recording)) <= maximumBytes) return recording;
  const { arguments: uses = [], files = [], sockets = [], ...names } = recording;
  const { certificate, partialReasons } = recording;
  return {
    ...names,
    certificate: {
      ...certificate,
      overflows: (certificate.overflows ?? 0) + uses.length + files.length + sockets.length,
    },
    partialReasons: PARTIAL_REASONS.filter((reason) => reason === 'overflow' || partialReasons.includes(reason)),
  };
}
