/** What watching and restricting an application's runs has cost, per level. */
import { Controller, Get, Param } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import { type MeasuredRun, overheadReport } from '#lib/overhead';
import { ENFORCEMENTS, MONITORINGS } from '#lib/profiles';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { findApplication } from '../applications/find-applications.js';
import { type Caller, CurrentCaller } from '../auth/caller.js';
import { Answers } from '../openapi/answers.js';

/** Runs that one report is made of, at most: the newest. */
const RUNS_MAXIMUM = 100_000;
/** Of one machine: a node says it of itself. */
const CORES_MAXIMUM = 100_000;

const overheadAnswer = z
  .object({
    applicationId: z.uuid(),
    levels: z.array(
      z
        .object({
          level: z.object({ enforcement: z.enum(ENFORCEMENTS), monitoring: z.enum(MONITORINGS) }),
          n: z.int().describe('Runs that ended with exit code 0, and whose wall and processor time can both be true'),
          medianWallUs: z.number().describe('Wall time of the payload alone, microseconds'),
          ratio: z
            .number()
            .nullable()
            .describe('To enforcement none and monitoring none, over runs of equal build, inputs and node; median'),
          groups: z.int().describe('Groups of equal build, inputs and node that have runs at both levels'),
          comparedRuns: z.int(),
          reason: z.string().nullable().describe('Why there is no ratio'),
        })
        .meta({ id: 'LevelOverhead' }),
    ),
  })
  .meta({ id: 'OverheadReport' });
type Level = z.input<typeof overheadAnswer>['levels'][number];

@ApiBearerAuth()
@Controller('api/v1/applications')
export class OverheadController {
  constructor(private readonly dataSource: DataSource) {}

  @Get(':id/overhead')
  @Answers({ summary: 'Report the overhead of each level', schema: overheadAnswer, errors: ['not-found'] })
  async overhead(@Param('id', { schema: z.uuid() }) id: string, @CurrentCaller() caller: Caller) {
    await findApplication(this.dataSource.manager, caller.tenant, id);
    return { applicationId: id, levels: overheadReport(await this.measuredRuns(id)) as Level[] };
  }

  private async measuredRuns(applicationId: string): Promise<MeasuredRun[]> {
    const rows: {
      enforcement: string;
      monitoring: string;
      build: string;
      inputs: string;
      node: string;
      wall: string;
      user: string;
      system: string;
      cores: number;
    }[] = await this.dataSource.query(
      `SELECT run.enforcement, run.monitoring, run.build_id AS build, run.inputs_digest AS inputs, run.node_id AS node,
           run.wall_us AS wall, run.user_us AS user, run.system_us AS system,
           CASE WHEN jsonb_typeof(run.node_facts->'cores') = 'number'
             THEN least(greatest((run.node_facts->>'cores')::numeric, 1), ${CORES_MAXIMUM})::integer
             ELSE ceil(node.cpu_milli / 1000.0)::integer END AS cores
         FROM executor_run AS run JOIN build ON build.id = run.build_id JOIN node ON node.id = run.node_id
         WHERE build.application_id = $1 AND run.exit_code = 0 AND run.wall_us IS NOT NULL
         ORDER BY run.started_at DESC LIMIT $2`,
      [applicationId, RUNS_MAXIMUM],
    );
    return rows.map(({ enforcement, monitoring, build, inputs, node, wall, user, system, cores }) => ({
      level: { enforcement, monitoring },
      ...{ build, inputsDigest: inputs, node, cores },
      ...{ wallUs: Number(wall), userUs: Number(user), systemUs: Number(system) },
    }));
  }
}
