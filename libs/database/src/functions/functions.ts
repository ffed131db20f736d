/** Every function of the schema `porin` that the code of this version wants, in the order in which they are made. */
import { DECISIONS } from './decisions.js';
import { EXPIRY } from './expiry.js';
import { FACT_VERSION } from './fact-version.js';
import { NODE_ABUSE } from './node/abuse.js';
import { ATTEMPT } from './node/attempt.js';
import { BUILD } from './node/build.js';
import { CLAIM } from './node/claim.js';
import { IDENTITY } from './node/identity.js';
import { IMAGES } from './node/images.js';
import { PLAN } from './node/plan.js';
import { PUBLICATION } from './node/publication.js';
import { REGISTRATION } from './node/registration.js';
import { RUN } from './node/run.js';
import { QUEUE } from './queue.js';
import { type SqlFunction } from './sql-function.js';
import { SUBMISSION } from './submission.js';
import { STATE_MACHINE } from './state-machine.js';
import { OUTPUT_CLAIMS } from './output-claims.js';
import { TENANT_USAGE } from './tenant-usage.js';
import { WAKE_UPS } from './wake-ups.js';

/** What a node may do, all of it: it reaches no table. */
export const NODE_FUNCTIONS: readonly SqlFunction[] = [
  ...IDENTITY,
  ...REGISTRATION,
  ...CLAIM,
  ...ATTEMPT,
  ...BUILD,
  ...PLAN,
  ...RUN,
  ...PUBLICATION,
  ...IMAGES,
];

/** What the API alone calls of them. */
export const API_FUNCTIONS: readonly SqlFunction[] = [...NODE_ABUSE];

/** Nobody calls a function of this schema who was not named. A CHECK of application, which the API and the functions of nodes write to, calls one. */
const RIGHTS: SqlFunction = {
  name: 'rights',
  sql: `
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA porin FROM PUBLIC;
GRANT EXECUTE ON FUNCTION porin.are_exit_codes(integer[]) TO porin_api, porin_functions;
GRANT EXECUTE ON FUNCTION porin.rounded(bigint), porin.lane_of(porin.job), porin.queue_job(porin.job, boolean), porin.enqueue(uuid, boolean) TO porin_api;
GRANT EXECUTE ON FUNCTION porin.used(text), porin.submit_job(bigint, jsonb), porin.take_unanswered_task(bigint, uuid, text) TO porin_api;`,
};

export const FUNCTIONS: readonly SqlFunction[] = [
  ...STATE_MACHINE,
  ...DECISIONS,
  ...OUTPUT_CLAIMS,
  ...TENANT_USAGE,
  ...EXPIRY,
  ...QUEUE,
  ...FACT_VERSION,
  ...SUBMISSION,
  ...WAKE_UPS,
  ...NODE_FUNCTIONS,
  ...API_FUNCTIONS,
  RIGHTS,
];
