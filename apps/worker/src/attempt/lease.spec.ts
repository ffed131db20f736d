import { afterEach, describe, expect, it } from 'vitest';
import { Lease, type Renewal } from './lease.js';

const LEASE_MS = 60;
let lease: Lease | undefined;
afterEach(() => lease?.end());

/** The reason that the lease ends by. */
function endOf(renew: () => Promise<Renewal>, now?: () => number): Promise<string> {
  return new Promise((onEnd) => {
    lease = new Lease({ leaseMs: LEASE_MS, renew, onEnd, ...(now ? { now } : {}) });
  });
}

describe('a lease', () => {
  it('is lost when the database says so', async () => {
    expect(await endOf(() => Promise.resolve('lost'))).toBe('lease-lost');
  });

  it('tells of a cancel, and is kept', async () => {
    let renewals = 0;
    expect(await endOf(() => Promise.resolve(++renewals === 1 ? 'canceled' : 'held'))).toBe('canceled');
    while (renewals < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('is lost when the database has not answered for as long as it lasts', async () => {
    let clock = 0;
    const renew = () => {
      clock += LEASE_MS / 2;
      return Promise.reject(new Error('no connection'));
    };
    expect(await endOf(renew, () => clock)).toBe('lease-lost');
  });

  it('is lost when this process slept through it, whatever the answer would have been', async () => {
    let clock = 0;
    const end = endOf(
      () => Promise.resolve('held'),
      () => (clock += 2 * LEASE_MS),
    );
    expect(await end).toBe('lease-lost');
  });
});
