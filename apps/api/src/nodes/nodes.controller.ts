/** The machines that run workers. They belong to the grid, not to a tenant. */
import { ATTEMPT_IS_OPEN } from '#lib/jobs';
import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import { NodeRow } from '#lib/database';
import { MONITORINGS } from '#lib/profiles';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { NeedsRole, OperatorsToo } from '../auth/caller.js';
import { Answers } from '../openapi/answers.js';

const nodeProblem = z
  .object({
    check: z.string().max(40).describe('recorder, engine, runc, disk, clock, cores, memory, images or user-ids'),
    severe: z.boolean(),
    problem: z.string().max(4000),
    advice: z.string().max(1000).describe('What the operator can do about it'),
  })
  .meta({ id: 'NodeProblem' });

/** A node says it of itself, so what has another form is left out. */
const toldProblems = z.object({ problems: z.array(nodeProblem).max(20) });
const toldText = z.string().max(4000);
const toldFact = z.union([toldText, z.number(), z.boolean(), z.null(), z.array(toldText).max(100)]);
/** More than a node has. */
const FACTS_MAXIMUM = 50;
const toldBytes = (bytes: number): number => Math.min(Math.max(Math.trunc(bytes), 0), Number.MAX_SAFE_INTEGER);

const nodeList = z
  .object({
    nodes: z.array(
      z
        .object({
          id: z.uuid(),
          name: z.string(),
          architecture: z.string(),
          state: z
            .enum(['READY', 'DRAINING', 'GONE', 'SUSPECT'])
            .describe('SUSPECT: it is there, and gets no jobs until a probe of it succeeds'),
          suspect: z
            .object({ since: z.date(), reason: z.string() })
            .nullable()
            .describe('Since when it is suspect, and why; null while it is well'),
          slots: z.int(),
          openAttempts: z.int(),
          cpuMilli: z.int(),
          memoryBytes: z.int(),
          diskBytes: z.int(),
          offeredMonitorings: z.array(z.string()),
          problems: z
            .array(nodeProblem)
            .describe('What the worker found wrong with its node when it started; empty where all is well'),
          facts: z
            .record(z.string(), z.unknown())
            .describe('Kernel, engine and their versions, as the worker found them'),
          startedAt: z.date(),
          heartbeatAt: z.date(),
        })
        .meta({ id: 'Node' }),
    ),
  })
  .meta({ id: 'NodeList' });

@ApiBearerAuth()
@Controller('api/v1/nodes')
export class NodesController {
  constructor(private readonly dataSource: DataSource) {}

  @Get()
  @NeedsRole('reviewer')
  @OperatorsToo()
  @Answers({ summary: 'List the nodes by name', schema: nodeList, errors: ['role-required'] })
  async list() {
    const nodes = await this.dataSource.manager.find(NodeRow, { order: { name: 'ASC' } });
    const open: { id: string; count: number }[] = await this.dataSource.query(
      `SELECT node_id AS id, count(*)::int AS count FROM attempt WHERE ${ATTEMPT_IS_OPEN} GROUP BY node_id`,
    );
    const openByNode = new Map(open.map(({ id, count }) => [id, count]));
    return {
      nodes: nodes.map((node) => {
        const { problems = [], ...facts } = isRecord(node.facts) ? node.facts : {};
        const { suspectSince, suspectReason, ...row } = node;
        return {
          ...row,
          state: node.state === 'READY' && suspectSince ? ('SUSPECT' as const) : node.state,
          suspect: suspectSince && { since: suspectSince, reason: suspectReason ?? '' },
          memoryBytes: toldBytes(node.memoryBytes),
          diskBytes: toldBytes(node.diskBytes),
          offeredMonitorings: MONITORINGS.filter((monitoring) => node.offeredMonitorings.includes(monitoring)),
          facts: toldFacts(facts),
          problems: toldProblems.safeParse({ problems }).data?.problems ?? [],
          openAttempts: openByNode.get(node.id) ?? 0,
        };
      }),
    };
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toldFacts(facts: Record<string, unknown>): Record<string, unknown> {
  const told = Object.entries(facts).filter(([name, fact]) => name.length <= 100 && toldFact.safeParse(fact).success);
  return Object.fromEntries(told.slice(0, FACTS_MAXIMUM));
}
