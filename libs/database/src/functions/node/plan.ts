/** What a node must know to plan an attempt: of the applications, builds and profiles of jobs that it holds, and of no others. */
import { ADHOC_PREFIX } from '#lib/jobs';
import { type SqlFunction } from '../sql-function.js';
import { APPLICATION_TERMS } from './claim.js';
import { nodeFunction } from './node-function.js';

export const PLAN: readonly SqlFunction[] = [
  // owners: registered applications of the job's tenant with a build of this content, or whose image is called as the
  // executor's; and those with an approved build whose layers are the lowest of this content's. Those with an approved profile
  // first. isApproved: the application that the executor was submitted as has an approved profile for this content.
  nodeFunction(
    'node_content_standing',
    `
DECLARE
  asked record;
  image_layers text[] := ARRAY(SELECT jsonb_array_elements_text(input->'layers'));
BEGIN
  SELECT job.tenant, job.architecture, executor.image, coalesce(executor.bound_from, executor.application_id) AS submitted_as
  INTO asked FROM porin.executor JOIN porin.job ON job.id = executor.job_id
  WHERE job.id = (input->>'jobId')::uuid AND executor.position = (input->>'position')::integer AND porin.holds_job(job.id);
  IF NOT FOUND THEN RETURN NULL; END IF;
  RETURN (
    WITH known AS (
      SELECT build.application_id, build.content_digest = input->>'contentDigest' AS is_equal,
        EXISTS (SELECT FROM porin.profile_version WHERE build_id = build.id AND state = 'APPROVED') AS has_approved
      FROM porin.build JOIN porin.application ON application.id = build.application_id
      WHERE application.tenant = asked.tenant AND build.architecture = asked.architecture
        AND (build.content_digest = input->>'contentDigest'
          OR (build.layers <> '{}' AND build.layers = image_layers[1:cardinality(build.layers)]))
    ), owners AS (
      SELECT application.id, name, command_prefix,
        CASE WHEN image = asked.image OR coalesce(bool_or(is_equal), false) THEN 'content' ELSE 'layers' END AS match,
        coalesce(bool_or(has_approved), false) AS has_approved
      FROM porin.application LEFT JOIN known ON known.application_id = application.id AND (is_equal OR has_approved)
      WHERE tenant = asked.tenant AND NOT starts_with(name, '${ADHOC_PREFIX}')
        AND (image = asked.image OR known.application_id IS NOT NULL)
      GROUP BY application.id
    )
    SELECT jsonb_build_object('owners', coalesce(jsonb_agg(jsonb_build_object('applicationId', id, 'name', name,
        'commandPrefix', to_jsonb(command_prefix), 'match', match, 'hasApproved', has_approved)
        ORDER BY has_approved DESC, match = 'content' DESC, name), '[]'),
      'isApproved', EXISTS (SELECT FROM porin.build JOIN porin.profile_version AS version ON version.build_id = build.id
        WHERE build.application_id = asked.submitted_as AND build.architecture = asked.architecture
          AND build.content_digest = input->>'contentDigest' AND version.state = 'APPROVED'))
    FROM owners);
END`,
  ),
  // Of an application that an executor of a job of the caller's is of; null for any other.
  nodeFunction(
    'node_application_terms',
    `
BEGIN
  RETURN (SELECT jsonb_build_object(${APPLICATION_TERMS}) FROM porin.application
    WHERE id = (input->>'applicationId')::uuid AND EXISTS (
      SELECT FROM porin.attempt JOIN porin.executor USING (job_id)
      WHERE attempt.state = 'OPEN' AND attempt.node_id = porin.calling_node()
        AND application.id IN (executor.application_id, executor.bound_from)));
END`,
  ),
  // approved: with the newest list of approvals, whose text is left out where the caller has it. siblings, without an approved
  // profile: null where the policy decides, as no other build of its application has one. isSettled: a person took away or
  // refused a profile of this very build, which is no new one then, or no approval verified that it could inherit by.
  nodeFunction(
    'node_build_standing',
    `
DECLARE standing jsonb;
BEGIN
  IF NOT porin.holds_build((input->>'buildId')::uuid) THEN RETURN NULL; END IF;
  SELECT jsonb_build_object('id', id, 'digest', digest, 'canonical', canonical, 'statement', version.statement,
      'signature', version.signature, 'auditOver', audit_over, 'isUnderReview', review_since IS NOT NULL, 'list', (
        SELECT jsonb_build_object('signature', list.signature, 'text',
          CASE WHEN list.signature IS DISTINCT FROM input->>'knownList' THEN list.text END)
        FROM porin.approval_list AS list ORDER BY list.number DESC LIMIT 1))
  INTO standing FROM porin.profile_version AS version WHERE build_id = (input->>'buildId')::uuid AND state = 'APPROVED';
  IF FOUND THEN RETURN jsonb_build_object('approved', standing, 'siblings', NULL); END IF;
  RETURN jsonb_build_object('approved', NULL, 'siblings', (
    SELECT jsonb_build_object('isSettled',
      EXISTS (SELECT FROM porin.profile_version WHERE build_id = own.id AND state IN ('REJECTED', 'REVOKED'))
      OR coalesce(max(version.decided_at) <= own.inheritance_failed_at, false))
    FROM porin.build AS own
    JOIN porin.build ON build.application_id = own.application_id AND build.architecture = own.architecture AND build.id <> own.id
    JOIN porin.profile_version AS version ON version.build_id = build.id AND version.state = 'APPROVED'
    WHERE own.id = (input->>'buildId')::uuid GROUP BY own.id));
END`,
  ),
];
