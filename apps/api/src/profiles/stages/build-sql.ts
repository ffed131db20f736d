/** SQL about builds that several questions share: what their siblings have approved, and which runs an audit counts. */

const SIBLINGS = `FROM profile_version AS version JOIN build AS sibling ON sibling.id = version.build_id
  WHERE sibling.application_id = build.application_id AND sibling.architecture = build.architecture
    AND sibling.id <> build.id AND version.state = 'APPROVED'`;

/** Of `build`: whether another build of its application has an approved version. */
export const APPROVED_SIBLING = `EXISTS (SELECT ${SIBLINGS})`;

/** Of `build`: where the version comes from that it inherits; selects from `version`, one row at most. */
export const LAST_APPROVED_SIBLING = `${SIBLINGS} ORDER BY version.decided_at DESC NULLS LAST, version.id LIMIT 1`;

/**
 * Of `version`: selects from `run`. All runs of its build in this stage count: additions that a rule approved within it
 * begin no new audit.
 */
export const AUDITED_RUNS = `FROM executor_run AS run
  WHERE run.build_id = version.build_id AND run.enforcement = 'audit' AND run.started_at >= version.stage_since
    AND run.ended_at IS NOT NULL`;
