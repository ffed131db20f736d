/**
 * Which build an executor's image is. A node says what the image holds, and whose it takes it to be; the content's digest is
 * computed here, and an application is only the one that the job names or one that is known to have that content.
 */
import { ADHOC_PREFIX } from '#lib/jobs';
import { type SqlFunction } from '../sql-function.js';
import { nodeFunction } from './node-function.js';

/** Of the canonical text of an image's content, bytes. */
const CONTENT_BYTES = 1024 ** 2;
export const REPOSITORY_DIGEST = '^[^@[:space:]]+@sha256:[0-9a-f]{64}$';

export const BUILD: readonly SqlFunction[] = [
  // Stored once: the first build counts, for this attempt and for every later one. An executor that was bound to no registered
  // application may be bound to one later, with the same content. Answers with what is stored; null where the attempt is lost.
  nodeFunction(
    'node_pin_build',
    `
DECLARE
  self uuid := porin.calling_node();
  content jsonb := porin.bounded(input->>'content', ${CONTENT_BYTES})::jsonb;
  digest text := 'sha256:' || encode(sha256(convert_to(input->>'content', 'UTF8')), 'hex');
  image_layers text[] := ARRAY(SELECT jsonb_array_elements_text(content->'layerDiffIds'));
  bound_to uuid := (input->>'applicationId')::uuid;
  asked record;
  stored porin.build%ROWTYPE;
BEGIN
  IF NOT porin.hold_attempt((input->>'jobId')::uuid, (input->>'number')::integer) THEN RETURN NULL; END IF;
  SELECT executor.*, job.tenant, job.architecture, application.id AS submitted_as,
    starts_with(application.name, '${ADHOC_PREFIX}') AS is_adhoc INTO asked
  FROM porin.executor JOIN porin.job ON job.id = executor.job_id
  JOIN porin.application ON application.id = coalesce(executor.bound_from, executor.application_id)
  WHERE executor.job_id = (input->>'jobId')::uuid AND executor.position = (input->>'position')::integer
  FOR UPDATE OF executor;
  IF NOT FOUND OR content->>'architecture' IS DISTINCT FROM asked.architecture
    OR NOT coalesce(porin.bounded(input->>'repositoryDigest', 1024) ~ '${REPOSITORY_DIGEST}', true) THEN
    RAISE EXCEPTION 'this is no image of the job''s' USING ERRCODE = 'check_violation';
  END IF;
  UPDATE porin.node_image SET last_used_at = now()
  WHERE node_id = self AND tenant = asked.tenant AND repository_digest = input->>'repositoryDigest';
  SELECT * INTO stored FROM porin.build WHERE id = asked.build_id;
  IF FOUND AND NOT (asked.is_adhoc AND asked.bound_from IS NULL AND bound_to <> asked.submitted_as
    AND stored.content_digest = digest) THEN
    RETURN jsonb_build_object('id', stored.id, 'applicationId', stored.application_id,
      'contentDigest', stored.content_digest, 'repositoryDigest', asked.repository_digest);
  END IF;
  IF bound_to <> asked.submitted_as AND NOT (asked.is_adhoc AND EXISTS (
    SELECT FROM porin.application AS owner
    WHERE owner.id = bound_to AND owner.tenant = asked.tenant AND NOT starts_with(owner.name, '${ADHOC_PREFIX}')
      AND (owner.image = asked.image OR EXISTS (SELECT FROM porin.build WHERE application_id = owner.id
        AND content_digest = digest AND architecture = asked.architecture))
  )) THEN
    RAISE EXCEPTION 'the application is not one that the executor may be of' USING ERRCODE = 'insufficient_privilege';
  END IF;
  FOR try IN 1..2 LOOP
    SELECT * INTO stored FROM porin.build
    WHERE application_id = bound_to AND content_digest = digest AND architecture = asked.architecture;
    EXIT WHEN FOUND;
    INSERT INTO porin.build (application_id, content_digest, architecture, image_reference, repository_digest, layers, made_by_node)
    VALUES (bound_to, digest, asked.architecture, asked.image, input->>'repositoryDigest', image_layers, self)
    ON CONFLICT DO NOTHING;
  END LOOP;
  -- A worker of an earlier version did not store them.
  IF stored.layers IS NULL THEN UPDATE porin.build SET layers = image_layers WHERE id = stored.id AND layers IS NULL; END IF;
  UPDATE porin.executor SET build_id = stored.id, application_id = bound_to, bound_from = nullif(asked.submitted_as, bound_to),
    repository_digest = input->>'repositoryDigest'
  WHERE job_id = asked.job_id AND position = asked.position;
  -- Whoever looks for images has no secrets: of a private one, the first job that names its registry's tells that it is there.
  UPDATE porin.application SET image_state = 'found', image_problem = NULL, image_checked_at = now(), image_looked_at = '{}'
  WHERE id = bound_to AND image = asked.image AND image_state <> 'found' AND NOT starts_with(name, '${ADHOC_PREFIX}');
  RETURN jsonb_build_object('id', stored.id, 'applicationId', bound_to, 'contentDigest', digest,
    'repositoryDigest', input->>'repositoryDigest');
END`,
  ),
];
