/** The SQL of looking for the images of applications that were registered or whose image was changed. */
import { ADHOC_PREFIX } from '#lib/jobs';
import { type DataSource } from 'typeorm';

export interface UncheckedImage {
  readonly applicationId: string;
  readonly tenant: string;
  readonly image: string;
}

export class ImageCheckStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly nodeId: string,
  ) {}

  /** The oldest whose image no node has found and this one has not looked for, leaving out `skipped`. */
  async next(skipped: readonly string[]): Promise<UncheckedImage | undefined> {
    const rows: UncheckedImage[] = await this.dataSource.query(
      `SELECT id AS "applicationId", tenant, image FROM application
       WHERE image_state <> 'found' AND NOT starts_with(name, $2) AND NOT $1 = ANY(image_looked_at) AND NOT id = ANY($3)
       ORDER BY created_at LIMIT 1`,
      [this.nodeId, ADHOC_PREFIX, skipped],
    );
    return rows[0];
  }

  /** `problem`: null when it was found. Writes nothing where the application has another image by now, or another node found it. */
  async store({ applicationId, image }: UncheckedImage, problem: string | null): Promise<void> {
    await this.dataSource.query(
      `UPDATE application SET image_state = CASE WHEN $3::text IS NULL THEN 'found' ELSE 'not-found' END, image_problem = $3,
         image_checked_at = now(), image_looked_at = CASE WHEN $3 IS NULL THEN '{}' ELSE image_looked_at || $4::uuid END
       WHERE id = $1 AND image = $2 AND image_state <> 'found'`,
      [applicationId, image, problem, this.nodeId],
    );
  }
}
