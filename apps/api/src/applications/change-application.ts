/** Changes an application's policy, image and how its profiles are learned; every change is in the audit trail. */
import { Application, Audit } from '#lib/database';
import { type EntityManager } from 'typeorm';
import { type Caller } from '../auth/caller.js';
import { considerAgain, releaseHeldJobs, releaseUnknownContent } from '#lib/store';
import { PorinError } from '../errors/porin-error.js';
import { checkImage } from '../jobs/submit/check-image.js';
import { type ApplicationChange } from './application-answers.js';

/** Throws not-found and image-invalid. Jobs that were submitted keep their image. */
export async function changeApplication(
  manager: EntityManager,
  caller: Caller,
  id: string,
  change: ApplicationChange,
): Promise<Application> {
  if (change.image !== undefined) checkImage(change.image);
  const before = await manager.findOne(Application, {
    where: { id, tenant: caller.tenant },
    lock: { mode: 'pessimistic_write' },
  });
  if (!before) throw new PorinError('not-found', `There is no application ${id}.`);
  // A member that is undefined would be left as it is; the type does not say so.
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  await manager.update(Application, { id }, { ...given, ...(isRenamed(before, change) && UNCHECKED) });
  const after = await manager.findOneByOrFail(Application, { id });
  await manager.insert(Audit, {
    ...{ tenant: caller.tenant, actor: caller.principalId, action: 'application.change' },
    ...{ subjectType: 'application', subjectId: id },
    detail: { before: pick(before, given), after: pick(after, given) },
  });
  if (after.policy !== before.policy || after.onNewBuild !== before.onNewBuild) await releaseHeldJobs(manager);
  if (after.policy !== before.policy || after.image !== before.image)
    await releaseUnknownContent(manager, caller.tenant);
  if (teachesOtherwise(before, after)) await considerAgain(manager, id);
  return after;
}

/** No node has looked for the image that it has now. */
const UNCHECKED = { imageState: 'unchecked', imageProblem: null, imageCheckedAt: null, imageLookedAt: [] } as const;

function isRenamed(before: Application, { image }: ApplicationChange): boolean {
  return image !== undefined && image !== before.image;
}

/** With the changed settings fewer recordings may be enough, other runs may teach, or seen calls may imply others. */
function teachesOtherwise(before: Application, after: Application): boolean {
  const needs = ['recordingsNeeded', 'distinctInputsNeeded'] as const;
  return (
    needs.some((need) => after[need] < before[need]) ||
    after.closure !== before.closure ||
    after.expectedExitCodes.join() !== before.expectedExitCodes.join()
  );
}

function pick(application: Application, members: object): Record<string, unknown> {
  return Object.fromEntries(Object.keys(members).map((name) => [name, application[name as keyof Application]]));
}
