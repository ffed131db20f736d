/** SQL about builds that several questions share: what their siblings have approved, and which runs an audit counts. */

const SIBLINGS = `FROM profile_version AS version JOIN build AS sibling ON sibling.id = version.build_id
  WHERE sibling.application_id = build.application_id AND sibling.architecture = build.architecture
    AND sibling.id <> build.id AND version.state = 'APPROVED'`;

/** Of `build`: whether another build of its application has an approved version. */
export const APPROVED_SIBLING = `EXISTS (SELECT ${SIBLINGS})`;

/** Of `build`: the versions that it may inherit, the last approved first; selects from `version`. */
export const APPROVED_SIBLINGS = `${SIBLINGS} ORDER BY version.decided_at DESC NULLS LAST, version.id`;

/**
 * Of `build`: a person decided against a version of it, so that it is no new one: no rule brings back by another build's
 * rules what was taken from it.
 */
export const IS_DECIDED_AGAINST = `EXISTS (SELECT FROM profile_version AS refused
  WHERE refused.build_id = build.id AND refused.state IN ('REJECTED', 'REVOKED'))`;

/** Of `build`: nothing that its siblings had approved by then verified, and nothing was approved since. */
export const INHERITANCE_FAILED = `(build.inheritance_failed_at IS NOT NULL
  AND NOT EXISTS (SELECT ${SIBLINGS} AND version.decided_at > build.inheritance_failed_at))`;

/** Of `build`: the rule of inheritance may give it what a sibling has. */
export const MAY_INHERIT = `(${APPROVED_SIBLING} AND NOT ${IS_DECIDED_AGAINST} AND NOT ${INHERITANCE_FAILED})`;

/** Of `build`: up to when its siblings' approvals were looked at in vain. */
export const LAST_SIBLING_DECIDED_AT = `(SELECT max(version.decided_at) ${SIBLINGS})`;

/**
 * Of `version`: selects from `run`. All runs of its build in this stage count: additions that a rule approved within it
 * begin no new audit. Without an outcome its payload goes on, or nobody knows what it did.
 */
export const AUDITED_RUNS = `FROM executor_run AS run
  WHERE run.build_id = version.build_id AND run.enforcement = 'audit' AND run.started_at >= version.stage_since
    AND run.outcome IS NOT NULL`;
