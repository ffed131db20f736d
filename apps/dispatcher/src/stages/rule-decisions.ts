/**
 * What rules decide in a person's place, beside the dispatcher's other duties: each decision in a transaction of its own, so
 * that one that fails holds up no other.
 */
import { type ApprovalKeys, type DecidingRule } from '#lib/profiles';
import { type Logger } from 'pino';
import { type Transactions } from '../leadership.js';
import { Loop } from '../loop.js';
import { autoApprove, harmlessCandidates } from './auto-approve.js';
import { heirs, inherit } from './inherit.js';
import { audited, promote } from './promote.js';
import { type Candidate, type Rule } from './rule.js';

const RULES: Readonly<Record<DecidingRule, Rule>> = {
  inheritance: { candidates: heirs, decide: inherit },
  'auto-approve': { candidates: harmlessCandidates, decide: autoApprove },
  promotion: { candidates: audited, decide: promote },
};

const LONGEST_PAUSE_MS = 60_000;
/** Of the time that they took: rules with much to read leave the database to others. */
const PAUSES_PER_TURN = 5;

export class RuleDecisions {
  private readonly loop = new Loop(() => this.turn());
  /** By rule and candidate: the facts that it was decided about last. */
  private readonly looked = new Map<string, ReadonlyMap<string, string>>();

  constructor(
    private readonly database: Transactions,
    private readonly keys: ApprovalKeys,
    private readonly logger: Logger,
    private readonly pauseMs: number,
    private readonly rules: Readonly<Record<string, Rule>> = RULES,
  ) {}

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async turn(): Promise<number> {
    const since = performance.now();
    await this.decide();
    this.logger.trace('the rules have looked');
    const pauseMs = Math.max(this.pauseMs, (performance.now() - since) * PAUSES_PER_TURN);
    return Math.min(pauseMs, LONGEST_PAUSE_MS);
  }

  /** One turn of all rules. */
  async decide(): Promise<void> {
    for (const [name, rule] of Object.entries(this.rules)) {
      try {
        await this.decideBy(name, rule);
      } catch (error) {
        this.logger.warn({ err: error, rule: name }, 'a rule could not look for what it decides about');
      }
    }
  }

  private async decideBy(name: string, rule: Rule): Promise<void> {
    const before = this.looked.get(name);
    const now = new Map<string, string>();
    for (const { id, facts } of await this.database.transaction((manager) => rule.candidates(manager))) {
      if (this.loop.isStopping) return;
      const isLooked = (facts !== undefined && before?.get(id) === facts) || (await this.decideAbout(name, rule, id));
      if (isLooked && facts !== undefined) now.set(id, facts);
    }
    this.looked.set(name, now);
  }

  /** Whether it could look at it. */
  private async decideAbout(name: string, rule: Rule, id: Candidate['id']): Promise<boolean> {
    try {
      const decision = await this.database.transaction((manager) => rule.decide(manager, this.keys, id));
      if (decision === 'unverified') {
        this.logger.error(
          { rule: name, id },
          'no approval verifies that a new build could inherit: a person must approve',
        );
      } else if (decision) this.logger.info({ rule: name, id, decision }, 'a rule has decided about a profile');
      return true;
    } catch (error) {
      this.logger.error({ err: error, rule: name, id }, 'a rule could not decide about a profile');
      return false;
    }
  }
}
