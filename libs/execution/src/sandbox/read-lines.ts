/** Splits what arrives on a socket into lines of bounded length. */
import { type Readable } from 'node:stream';
import { ControlChannelError } from './control-error.js';

/** porin-init's longest line is a batch of the trace, 12,000 bytes in base64. */
const MAX_LINE_LENGTH = 16 * 1024;

/** Ends at end of file; throws ControlChannelError `line-too-long`, and `hung-up` for a last line that has no end. */
export async function* readLines(stream: Readable): AsyncGenerator<string> {
  stream.setEncoding('latin1');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + (chunk as string)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of [...lines, rest]) {
      if (line.length > MAX_LINE_LENGTH) {
        throw new ControlChannelError('line-too-long', `porin-init sent a line of over ${MAX_LINE_LENGTH} characters.`);
      }
    }
    yield* lines;
  }
  if (rest !== '') throw new ControlChannelError('hung-up', 'porin-init hung up in the middle of a line.');
}
