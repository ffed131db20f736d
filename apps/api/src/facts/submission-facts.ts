/** What a submission is held to: the bounds and prefixes of its tenant, applications, their approved profiles, what nodes offer. */
import { type ApiConfig } from '#lib/config';
import { Application, NodeRow, ProfileVersion, Secret } from '#lib/database';
import { auditKind, type Monitoring, MONITORINGS, parseProfile, type SelectionInput } from '#lib/profiles';
import { countedUsage, tenantSettings } from '#lib/store';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type Caller } from '../auth/caller.js';
import { isUsableBy } from '../secrets/find-secrets.js';
import { gridPrefixes, type GridPrefixes, tenantPrefixes, type TenantPrefixes } from '../tenant/tenant-prefixes.js';
import { API_CONFIG } from '../tokens.js';
import { Facts } from './facts.js';

/** Further from its bounds than this, a tenant is counted once a second, and not for every job. */
const FAR_JOBS = 10_000;
const FAR_BYTES = 1024 ** 3;
const NO_SECRETS: ReadonlySet<string> = new Set();

type Approved = NonNullable<SelectionInput['approved']>;

/** All that a submission is held to beside the role of its caller, looked up before it writes anything. */
export interface HeldTo {
  readonly bounds: TenantBounds;
  /** The tenant uses so little of its bounds that one more job need not be counted. */
  readonly isFarFromBounds: boolean;
  readonly prefixes: TenantPrefixes;
  /** By any node that has ever run a worker, online or not; before the first, everything this version supports. */
  readonly offeredMonitorings: readonly Monitoring[];
  /** An approved profile of any build of the application, by its id. */
  readonly approved: ReadonlyMap<string, Approved>;
}

export interface TenantBounds {
  readonly maxQueuedJobs: number;
  readonly maxStoredBytes: number;
}

@Injectable()
export class SubmissionFacts {
  readonly #grid: GridPrefixes;

  constructor(
    private readonly facts: Facts,
    private readonly dataSource: DataSource,
    @Inject(API_CONFIG) config: ApiConfig,
  ) {
    this.#grid = gridPrefixes(config);
  }

  application(tenant: string, name: string): Promise<Application | null> {
    return this.facts.of(`application ${tenant} ${name}`, () =>
      this.dataSource.manager.findOneBy(Application, { tenant, name }),
    );
  }

  /** Of the named secrets those that jobs of the caller may name. */
  async usableSecrets({ tenant, principalId }: Caller, names: readonly string[]): Promise<ReadonlySet<string>> {
    if (names.length === 0) return NO_SECRETS;
    const known = await this.facts.of(`secrets ${tenant}`, () =>
      this.dataSource.manager.find(Secret, {
        where: { tenant },
        select: { tenant: true, name: true, usableBy: true },
      }),
    );
    return new Set(known.flatMap((secret) => (isUsableBy(secret, principalId) ? [secret.name] : [])));
  }

  async heldTo(tenant: string, architecture: string, applications: readonly Application[]): Promise<HeldTo> {
    const { manager } = this.dataSource;
    const bounds = await this.facts.of(`bounds ${tenant}`, () => tenantSettings(manager, tenant));
    const used = await this.facts.of(`usage ${tenant}`, () => countedUsage(manager, tenant));
    const prefixes = await this.facts.of(`prefixes ${tenant}`, () => tenantPrefixes(manager, tenant, this.#grid));
    const offeredMonitorings = await this.facts.of(`offered ${architecture}`, () => this.#findOffered(architecture));
    const approved = new Map<string, Approved>();
    for (const { id } of applications) {
      const found = await this.facts.of(`approved ${id} ${architecture}`, () => this.#findApproved(id, architecture));
      if (found.profile) approved.set(id, found.profile);
    }
    const isFarFromBounds =
      used.queuedJobs + FAR_JOBS < bounds.maxQueuedJobs && used.storedBytes + FAR_BYTES < bounds.maxStoredBytes;
    return { bounds, isFarFromBounds, prefixes, offeredMonitorings, approved };
  }

  async #findOffered(architecture: string): Promise<readonly Monitoring[]> {
    const nodes = await this.dataSource.manager.find(NodeRow, {
      where: { architecture },
      select: { id: true, offeredMonitorings: true },
    });
    const offered = new Set(nodes.flatMap((node) => node.offeredMonitorings));
    if (offered.size === 0) return MONITORINGS;
    return MONITORINGS.filter((monitoring) => offered.has(monitoring));
  }

  async #findApproved(applicationId: string, architecture: string): Promise<{ profile: Approved | null }> {
    const version = await this.dataSource.manager
      .createQueryBuilder(ProfileVersion, 'version')
      .innerJoin('build', 'build', 'build.id = version.build_id')
      .where(`version.state = 'APPROVED' AND build.application_id = :applicationId`, { applicationId })
      .andWhere('build.architecture = :architecture', { architecture })
      .limit(1)
      .getOne();
    if (!version) return { profile: null };
    const { id: profileVersionId, digest, canonical } = version;
    const profile = {
      profileVersionId,
      digest,
      auditKind: auditKind(parseProfile(canonical)),
      stage: version.stage ?? 'enforce',
    };
    return { profile };
  }
}
