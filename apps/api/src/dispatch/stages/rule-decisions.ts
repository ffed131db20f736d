/** What rules decide in a person's place: each decision in a transaction of its own, so that one that fails holds up no other. */
import { type KeyObject } from 'node:crypto';
import { type DecidingRule } from '#lib/profiles';
import { type Logger } from 'pino';
import { type DataSource, type EntityManager } from 'typeorm';
import { autoApprove, harmlessCandidates } from './auto-approve.js';
import { heirs, inherit } from './inherit.js';
import { audited, promote } from './promote.js';

interface Rule {
  /** Ids of the builds or versions that it may decide about. */
  readonly candidates: (manager: EntityManager) => Promise<readonly string[]>;
  /** What it decided, if anything; it looks at the candidate again under its build's lock. */
  readonly decide: (manager: EntityManager, signingKey: KeyObject, id: string) => Promise<unknown>;
}

const RULES: Readonly<Record<DecidingRule, Rule>> = {
  inheritance: { candidates: heirs, decide: inherit },
  'auto-approve': { candidates: harmlessCandidates, decide: autoApprove },
  promotion: { candidates: audited, decide: promote },
};

export class RuleDecisions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly signingKey: KeyObject,
    private readonly logger: Logger,
  ) {}

  async decide(): Promise<void> {
    for (const [rule, { candidates, decide }] of Object.entries(RULES)) {
      for (const id of await candidates(this.dataSource.manager)) {
        try {
          const decision = await this.dataSource.transaction((manager) => decide(manager, this.signingKey, id));
          if (decision) this.logger.info({ rule, id, decision }, 'a rule has decided about a profile');
        } catch (error) {
          this.logger.error({ err: error, rule, id }, 'a rule could not decide about a profile');
        }
      }
    }
  }
}
