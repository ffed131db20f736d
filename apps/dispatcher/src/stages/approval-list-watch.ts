/** Issues the list of approvals when a service begins to dispatch, and issues it anew where somebody put an older one back. */
import { type ApprovalKeys, type ApprovalList, forgetsNothingOf } from '#lib/profiles';
import { type Logger } from 'pino';
import { type Transactions } from '../leadership.js';
import { issueList, readList, withdrawnByBoth } from '#lib/store';

export class ApprovalListWatch {
  /** The newest that this service has seen. */
  private known: ApprovalList | null = null;
  private told: string | undefined;

  constructor(
    private readonly database: Transactions,
    private readonly keys: ApprovalKeys,
    private readonly logger: Logger,
  ) {}

  /**
   * By this service's own key, with a number above all that the database has given out. Where it cannot, no worker enforces
   * anything; the other duties go on.
   */
  start(): Promise<void> {
    return this.attempt(() => this.renew());
  }

  /** What was withdrawn while this service ran stays so, whatever is put back. */
  look(): Promise<void> {
    return this.attempt(async () => {
      const { known } = this;
      const list = await this.database.transaction(async (manager) => {
        const rows: { number: string | null }[] = await manager.query(
          'SELECT max(number) AS number FROM approval_list',
        );
        if (known && Number(rows[0]?.number ?? 0) === known.number) return known;
        return readList(manager, this.keys);
      });
      if (known && list === known) return;
      const isOlder = known && (!list || list.number < known.number || !forgetsNothingOf(list, known));
      if (isOlder) {
        const numbers = { known: known.number, found: list?.number ?? null };
        this.logger.error(numbers, 'somebody put an older list of approvals back: it is issued anew');
      }
      if (isOlder || !list) await this.renew();
      else this.known = list;
    });
  }

  private async renew(): Promise<void> {
    const { known } = this;
    this.known = await this.database.transaction((manager) =>
      issueList(manager, this.keys, (before) => (known ? withdrawnByBoth(before, known) : before)),
    );
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.told = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.told) this.logger.error({ err: error }, 'the list of approvals could not be issued');
      this.told = message;
    }
  }
}
