/** Which images jobs of which tenant have used on a node, which of them it keeps, and which images it is to look for. */
import { ADHOC_PREFIX, ATTEMPT_IS_OPEN } from '#lib/jobs';
import { type SqlFunction } from '../sql-function.js';
import { REPOSITORY_DIGEST } from './build.js';
import { helperFunction, nodeFunction } from './node-function.js';

const GIVEN = `ARRAY(SELECT jsonb_array_elements_text(input->'repositoryDigests'))`;

/** Of one node; a worker forgets those that are not there any more. */
const ROWS_MAXIMUM = 10_000;

export const IMAGES: readonly SqlFunction[] = [
  // Of these repository digests, which are all that the engine has, those that jobs have used here, the last used first. What
  // is not there any more is forgotten; an hour is longer than it takes to look.
  nodeFunction(
    'node_images_by_last_use',
    `
BEGIN
  DELETE FROM porin.node_image WHERE node_id = porin.calling_node() AND last_used_at < now() - interval '1 hour'
    AND NOT repository_digest = ANY (${GIVEN});
  RETURN (SELECT coalesce(jsonb_agg(digest ORDER BY last_used DESC, digest), '[]') FROM (
    SELECT repository_digest AS digest, max(last_used_at) AS last_used FROM porin.node_image
    WHERE node_id = porin.calling_node() AND repository_digest = ANY (${GIVEN}) GROUP BY repository_digest) AS used);
END`,
  ),
  // The tenant of a job that the caller holds; null for any other.
  helperFunction(
    'held_tenant',
    'of_job uuid',
    'text',
    `
BEGIN
  RETURN (SELECT tenant FROM porin.job WHERE id = of_job AND porin.holds_job(of_job));
END`,
    'STABLE',
  ),
  // Of these repository digests those that count for a tenant here, those first that the job's tenant has used last. isOwn:
  // they count for the job's tenant; isOthers: for another.
  nodeFunction(
    'node_tenant_images',
    `
DECLARE
  self uuid := porin.calling_node();
  of_tenant text := porin.held_tenant((input->>'jobId')::uuid);
BEGIN
  IF of_tenant IS NULL THEN RETURN NULL; END IF;
  RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('repositoryDigest', digest, 'isOwn', own_use IS NOT NULL,
      'isOthers', is_others) ORDER BY own_use DESC NULLS LAST, digest), '[]') FROM (
    SELECT repository_digest AS digest, max(last_used_at) FILTER (WHERE tenant = of_tenant) AS own_use,
      bool_or(tenant <> of_tenant) AS is_others
    FROM porin.node_image WHERE node_id = self AND repository_digest = ANY (${GIVEN}) GROUP BY repository_digest) AS used);
END`,
  ),
  // The job's tenant uses an image. With isNew it counts from now on. Whether it counts; null where the job is not the caller's.
  nodeFunction(
    'node_use_image',
    `
DECLARE
  self uuid := porin.calling_node();
  of_tenant text := porin.held_tenant((input->>'jobId')::uuid);
BEGIN
  IF of_tenant IS NULL THEN RETURN NULL; END IF;
  UPDATE porin.node_image SET last_used_at = now()
  WHERE node_id = self AND tenant = of_tenant AND repository_digest = input->>'repositoryDigest';
  IF FOUND OR NOT (input->>'isNew')::boolean THEN RETURN to_jsonb(FOUND); END IF;
  IF NOT coalesce(porin.bounded(input->>'repositoryDigest', 1024) ~ '${REPOSITORY_DIGEST}', false)
    OR (SELECT count(*) FROM porin.node_image WHERE node_id = self) >= ${ROWS_MAXIMUM} THEN
    RAISE EXCEPTION 'this is no image of a registry, or one too many' USING ERRCODE = 'check_violation';
  END IF;
  INSERT INTO porin.node_image (node_id, tenant, repository_digest) VALUES (self, of_tenant, input->>'repositoryDigest')
  ON CONFLICT DO NOTHING;
  RETURN to_jsonb(true);
END`,
  ),
  // These images do not count for the job's tenant any more.
  nodeFunction(
    'node_give_up_images',
    `
DECLARE self uuid := porin.calling_node();
BEGIN
  DELETE FROM porin.node_image WHERE node_id = self AND repository_digest = ANY (${GIVEN})
    AND tenant = porin.held_tenant((input->>'jobId')::uuid);
  RETURN NULL;
END`,
  ),
  // Whether an attempt that is open here runs one of them, or may yet: its executor names the repository and is not resolved.
  nodeFunction(
    'node_uses_any_image',
    `
BEGIN
  RETURN to_jsonb(EXISTS (
    SELECT FROM porin.attempt JOIN porin.executor USING (job_id), unnest(${GIVEN}) AS digest
    WHERE attempt.node_id = porin.calling_node() AND ${ATTEMPT_IS_OPEN} AND CASE WHEN executor.build_id IS NULL
      THEN position(split_part(digest, '@', 1) IN executor.image) > 0 ELSE executor.repository_digest = digest END));
END`,
  ),
  // The oldest application whose image no node has found and the caller has not looked for, with its tenant's lists. No more
  // of it: an image is all that is to be looked for.
  nodeFunction(
    'node_next_image',
    `
DECLARE self uuid := porin.calling_node();
BEGIN
  RETURN (SELECT jsonb_build_object('applicationId', application.id, 'image', application.image, 'lists', jsonb_build_object(
      'registries', to_jsonb(setting.image_registries), 'local', to_jsonb(setting.local_images)))
    FROM porin.application LEFT JOIN porin.tenant_setting AS setting ON setting.tenant = application.tenant
    WHERE image_state <> 'found' AND NOT starts_with(name, '${ADHOC_PREFIX}') AND NOT self = ANY (image_looked_at)
      AND NOT application.id = ANY (ARRAY(SELECT jsonb_array_elements_text(input->'skipped'))::uuid[])
    ORDER BY created_at LIMIT 1);
END`,
  ),
  // Once of each node, and nothing where the application has another image by now, or another node has found it.
  nodeFunction(
    'node_store_image_check',
    `
DECLARE
  self uuid := porin.calling_node();
  problem text := left(input->>'problem', 1000);
BEGIN
  UPDATE porin.application SET image_state = CASE WHEN problem IS NULL THEN 'found' ELSE 'not-found' END,
    image_problem = problem, image_checked_at = now(),
    image_looked_at = CASE WHEN problem IS NULL THEN '{}' ELSE image_looked_at || self END
  WHERE id = (input->>'applicationId')::uuid AND image = input->>'image' AND image_state <> 'found'
    AND NOT self = ANY (image_looked_at);
  RETURN NULL;
END`,
  ),
];
