/**
 * Who has had how much: CPU-seconds of tenants, and within one of its submitters, which halve in a given time, against their
 * weights. Whoever has had the least for its weight comes first.
 */

/** Whose a job is. */
export interface Owner {
  readonly tenant: string;
  /** A principal. */
  readonly submittedBy: string;
}

export interface OwnUsage extends Owner {
  readonly cpuSeconds: number;
}

export interface Weights {
  readonly tenants: ReadonlyMap<string, number>;
  readonly submitters: ReadonlyMap<string, number>;
}

/** A core held now counts as if it had been held for so long: what was just given away must count before it was used. */
const FORESIGHT_S = 60;
/** Less than this is nothing any more. */
const FORGOTTEN_CPU_S = 0.01;

export class FairShare {
  readonly #had = new Map<string, { owner: Owner; cpuSeconds: number }>();
  #asOfMs: number;

  constructor(
    private readonly halfLifeMs: number,
    nowMs: number,
    had: readonly OwnUsage[] = [],
  ) {
    this.#asOfMs = nowMs;
    for (const { cpuSeconds, ...owner } of had) this.#had.set(keyOf(owner), { owner, cpuSeconds });
  }

  /** Until now, since the last call, these cores were held. */
  accrue(held: readonly (Owner & { readonly cpuMilli: number })[], nowMs: number): void {
    const passedMs = Math.max(0, nowMs - this.#asOfMs);
    this.#asOfMs = nowMs;
    const kept = 0.5 ** (passedMs / this.halfLifeMs);
    for (const [key, one] of this.#had) {
      one.cpuSeconds *= kept;
      if (one.cpuSeconds < FORGOTTEN_CPU_S) this.#had.delete(key);
    }
    for (const { tenant, submittedBy, cpuMilli } of held) {
      const owner = { tenant, submittedBy };
      const one = this.#had.get(keyOf(owner)) ?? { owner, cpuSeconds: 0 };
      one.cpuSeconds += (cpuMilli / 1000) * (passedMs / 1000);
      this.#had.set(keyOf(owner), one);
    }
  }

  /** What to write down, and to begin with after a restart. */
  usage(): readonly OwnUsage[] {
    return [...this.#had.values()].map(({ owner, cpuSeconds }) => ({ ...owner, cpuSeconds }));
  }

  /** For one round of placement, which begins with these cores held. */
  standing(held: readonly (Owner & { readonly cpuMilli: number })[], weights: Weights): Standing {
    const standing = new Standing(weights);
    for (const { owner, cpuSeconds } of this.#had.values()) standing.add(owner, cpuSeconds);
    for (const { cpuMilli, ...owner } of held) standing.hold(owner, cpuMilli);
    return standing;
  }
}

/** Changes as jobs are placed. */
export class Standing {
  readonly #tenants = new Map<string, number>();
  readonly #submitters = new Map<string, number>();

  constructor(private readonly weights: Weights) {}

  add({ tenant, submittedBy }: Owner, cpuSeconds: number): void {
    this.#tenants.set(tenant, (this.#tenants.get(tenant) ?? 0) + cpuSeconds);
    const key = keyOf({ tenant, submittedBy });
    this.#submitters.set(key, (this.#submitters.get(key) ?? 0) + cpuSeconds);
  }

  hold(owner: Owner, cpuMilli: number): void {
    this.add(owner, (cpuMilli / 1000) * FORESIGHT_S);
  }

  /** By how much a job makes the tenant's standing greater. */
  costOf(tenant: string, cpuMilli: number): number {
    return ((cpuMilli / 1000) * FORESIGHT_S) / this.#weightOf(tenant);
  }

  /** Had for its weight: less goes first. */
  ofTenant(tenant: string): number {
    return (this.#tenants.get(tenant) ?? 0) / this.#weightOf(tenant);
  }

  ofSubmitter(owner: Owner): number {
    return (this.#submitters.get(keyOf(owner)) ?? 0) / (this.weights.submitters.get(owner.submittedBy) ?? 1);
  }

  #weightOf(tenant: string): number {
    return this.weights.tenants.get(tenant) ?? 1;
  }
}

function keyOf({ tenant, submittedBy }: Owner): string {
  return `${submittedBy} ${tenant}`;
}
