/** Words for what the arguments of a call point to: paths and socket addresses, copied out of the payload. */
import { quoted } from '#lib/profiles';
import { type PointedTo } from './control-message.js';
import { describeAddress } from './socket-address.js';

/** By argument. */
export function describePointedTo(all: readonly PointedTo[]): ReadonlyMap<number, string> {
  return new Map(all.map((pointedTo) => [pointedTo.argument, inWords(pointedTo)]));
}

function inWords(pointedTo: PointedTo): string {
  switch (pointedTo.kind) {
    case 'path':
      return quoted(pointedTo.bytes.toString());
    case 'cut':
      return `${quoted(pointedTo.bytes.toString())}...`;
    case 'address':
      return describeAddress(pointedTo.bytes);
    case 'unreadable':
      return 'unreadable';
  }
}
