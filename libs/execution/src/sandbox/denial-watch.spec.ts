import { expect, it } from 'vitest';
import { DenialList } from '../denial-list.js';
import { type Denial, type DenialStops } from '../executor-run.js';
import { watchDenials } from './denial-watch.js';

const denial = (call: string, number: number, architecture = 'x86_64'): Denial => ({
  call,
  number,
  architecture,
  action: 'refused',
  errno: 'EPERM',
  arguments: [],
  description: `${call}()`,
  count: 1,
});

/** What the watch stops for: socket, mount, a call of i386, and then 500 of them within a second. */
function stopsOf(stops: DenialStops): string[] {
  const list = new DenialList();
  const stopped: string[] = [];
  const { onDenial, onTally } = watchDenials(stops, (reason, { counted }) => stopped.push(`${reason} ${counted.call}`));
  const listed = [denial('socket', 41), denial('mount', 165), denial('call 20', 20, 'i386')].map((each) =>
    list.add(each),
  );
  for (const each of listed) onDenial?.(each);
  listed[0]?.setCount(500);
  onTally?.({ atUs: 1_000_000, listed, dropped: 0, lastDropped: undefined });
  return stopped;
}

it('stops for dangerous calls and for storms where it is told to, and for nothing else', () => {
  const storm = { perSecond: 400, seconds: 1 };
  expect(stopsOf({ dangerous: false })).toEqual([]);
  expect(stopsOf({ dangerous: true })).toEqual(['dangerous-call mount', 'dangerous-call call 20']);
  expect(stopsOf({ dangerous: false, storm })).toEqual(['denial-storm socket']);
  expect(stopsOf({ dangerous: true, storm: { ...storm, perSecond: 600 } })).toHaveLength(2);
});
