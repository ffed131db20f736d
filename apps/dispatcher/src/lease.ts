/** The row of the lease: taking it, renewing it, giving it up. */
import { type Connection } from '#lib/database';

/** Of the lease: it is renewed so often that four renewals may fail. */
export const RENEWALS_PER_LEASE = 5;

export class Lease {
  private constructor(
    private readonly session: Connection,
    private readonly leaseMs: number,
    /** Greater than those of all leaders before. */
    readonly epoch: string,
  ) {}

  /** Undefined while another dispatcher has it. `holder`: one name for each process, which takes its own lease again at any time. */
  static async take(session: Connection, holder: string, leaseMs: number): Promise<Lease | undefined> {
    const { rows } = await session.query<{ epoch: string }>(
      `UPDATE dispatcher_lease SET epoch = epoch + 1, holder = $1, expires_at = ${later('$2')}
       WHERE expires_at < clock_timestamp() OR holder = $1 RETURNING epoch`,
      [holder, leaseMs],
    );
    return rows[0] && new Lease(session, leaseMs, rows[0].epoch);
  }

  get renewEveryMs(): number {
    return this.leaseMs / RENEWALS_PER_LEASE;
  }

  /** False when another dispatcher has it now. */
  async renew(): Promise<boolean> {
    const { rowCount } = await this.session.query(
      `UPDATE dispatcher_lease SET expires_at = ${later('$2')} WHERE epoch = $1`,
      [this.epoch, this.leaseMs],
    );
    return rowCount === 1;
  }

  /** The next one need not wait. */
  async giveUp(): Promise<void> {
    await this.session.query(`UPDATE dispatcher_lease SET expires_at = '-infinity' WHERE epoch = $1`, [this.epoch]);
  }
}

function later(milliseconds: string): string {
  return `clock_timestamp() + make_interval(secs => ${milliseconds}::float8 / 1000)`;
}
