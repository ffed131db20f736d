/** Names of files in a directory that others have made: none leads out of it. */

const BOUNDS = { parts: 100, partBytes: 255 } as const;
// eslint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\0-\x1f\x7f]/;

/** The parts of a relative path; null where it is none, leads elsewhere, or no file system would take it. */
export function entryParts(name: string): readonly string[] | null {
  const parts = name.replace(/^(\.\/)+/, '').split('/');
  const isBad = (part: string) =>
    ['', '.', '..'].includes(part) || CONTROL.test(part) || Buffer.byteLength(part) > BOUNDS.partBytes;
  return parts.length > BOUNDS.parts || parts.some(isBad) ? null : parts;
}
