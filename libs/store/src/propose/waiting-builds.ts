/** Which build is considered next: one with new recordings or refused calls of jobs that have ended since, or one to be considered again. */
import { type EntityManager } from 'typeorm';
import { deniedRuns } from '../denied/denied-runs.js';

/**
 * Recordings of a small build are JSON texts of this many bytes together, at most. They are checked and merged in about 0.2 s,
 * for which the API's requests can wait; a large build takes up to some seconds.
 */
const SMALL_BYTES = 1024 ** 2;
/** Bytes that are considered in a second, about, and seconds that a build takes at least. */
const BYTES_PER_S = 8 * 1024 ** 2;
const LEAST_S = 0.02;

export const BUILD_SIZES = ['small', 'large'] as const;
export type BuildSize = (typeof BUILD_SIZES)[number];

/**
 * The one that has waited longest for what it costs (highest response ratio next): a short one is not kept up by long ones,
 * and a long one waits the less for later ones the longer it has waited. Builds whose jobs have ended go before those that
 * are only considered again.
 */
export async function nextBuild(
  manager: EntityManager,
  size: BuildSize,
  except: readonly string[],
): Promise<string | null> {
  const rows: { id: string }[] = await manager.query(
    `WITH ended AS (
       SELECT id, min(since) AS since FROM (
         SELECT run.build_id AS id, job.ended_at AS since
         FROM recording JOIN executor_run AS run ON run.id = recording.executor_run_id JOIN job ON job.id = run.job_id
         WHERE recording.considered_at IS NULL AND job.ended_at IS NOT NULL
         UNION ALL SELECT build_id AS id, since FROM (${deniedRuns()}) AS denied
       ) AS fresh GROUP BY id
     ), waiting AS (
       SELECT coalesce(ended.id, build.id) AS id, ended.since IS NULL AS again,
         extract(epoch FROM now() - coalesce(ended.since, build.reconsider_since)) AS waited
       FROM ended FULL JOIN (SELECT id, reconsider_since FROM build WHERE reconsider_since IS NOT NULL) AS build USING (id)
     ), sized AS (
       SELECT waiting.*, (
         SELECT coalesce(sum(content_bytes), 0)::float8
         FROM executor_run AS run JOIN recording ON recording.executor_run_id = run.id WHERE run.build_id = waiting.id) AS bytes
       FROM waiting WHERE id <> ALL ($1::uuid[])
     )
     SELECT id FROM sized WHERE (bytes <= $2) = $3
     ORDER BY again, waited / ($4 + bytes / $5) DESC, id LIMIT 1`,
    [except, SMALL_BYTES, size === 'small', LEAST_S, BYTES_PER_S],
  );
  return rows[0]?.id ?? null;
}

/** All recordings of these builds, as if their jobs had ended just now. */
export async function considerAgain(manager: EntityManager, applicationId: string): Promise<void> {
  await manager.query(
    `UPDATE build SET reconsider_since = coalesce(reconsider_since, now()) WHERE application_id = $1`,
    [applicationId],
  );
}

/** A newer table of families changes no version; it may propose another one. */
export async function considerOlderFamilies(manager: EntityManager, familiesVersion: number): Promise<void> {
  await manager.query(
    `UPDATE build SET reconsider_since = now() WHERE reconsider_since IS NULL AND EXISTS (
       SELECT FROM profile_version AS version WHERE version.build_id = build.id AND version.families_version < $1
         AND version.state IN ('PROPOSED', 'APPROVED'))`,
    [familiesVersion],
  );
}
