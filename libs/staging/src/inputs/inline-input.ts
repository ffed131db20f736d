/** Inputs whose content is in the job itself. */
import { type InputSource } from './input-source.js';

/** What stands for the URL in a message. */
export const INLINE_NAME = 'content';

export function openInlineInput(content: string): InputSource {
  const bytes = Buffer.from(content, 'utf8');
  return {
    chunks: (async function* () {
      yield await Promise.resolve(bytes);
    })(),
    bytes: bytes.length,
    close: () => Promise.resolve(),
  };
}
