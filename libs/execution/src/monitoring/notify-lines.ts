/** Puts the supervisor's lines of numbers (docs/control-channel.md, "The trace") into the words that people read. */
import { type Architecture, describeCall, syscallName } from '#lib/profiles';
import { type PointedTo } from '../sandbox/control-message.js';
import { describePointedTo } from '../sandbox/pointed-to.js';

const LINE = /^(\d+\.\d{6}) (\d+) (\d+) ((?:0x[0-9a-f]+ ?){6})((?: ?[a-z]+:[0-5]:\S*)*)$/;

/** `<seconds> <thread> <name>(<arguments>)`. A line that is none of the protocol's is returned as it is. */
export function readableCall(line: string, architecture: Architecture): string {
  const [, seconds = '', thread = '', number, registers = '', pointedTo = ''] = LINE.exec(line) ?? [];
  if (seconds === '') return line;
  const call = syscallName(architecture, Number(number)) ?? `call_${number}`;
  const values = registers.trim().split(' ').map(BigInt);
  const texts = describePointedTo(parsePointedTo(pointedTo));
  return `${seconds} ${thread} ${describeCall({ call, values, texts })}`;
}

function parsePointedTo(text: string): PointedTo[] {
  return [...text.matchAll(/([a-z]+):([0-5]):(\S*)/g)].map(([, kind, index, value = '']): PointedTo => {
    const argument = Number(index);
    if (kind === 'unreadable') return { kind, argument };
    return { kind: kind === 'address' || kind === 'cut' ? kind : 'path', argument, bytes: unescaped(value) };
  });
}

function unescaped(value: string): Buffer {
  return Buffer.from(
    value.replace(/\\x([0-9a-f]{2})/g, (_escape, digits: string) => String.fromCharCode(parseInt(digits, 16))),
    'latin1',
  );
}
