/** How much of the kernel a profile leaves within reach, beside what the container engine's default leaves. */
import { engineDefaultNames } from '../kernel/engine-default.js';
import { syscallNames } from '../kernel/syscalls.js';
import { allowedNames } from '../model/parse-profile.js';
import { type Profile } from '../model/profile.js';
import { closedVulnerabilities, closedWithConditions } from './closed-vulnerabilities.js';
import { VULNERABILITIES } from './vulnerabilities.js';

export interface AttackSurface {
  /** Calls that the profile allows. */
  readonly calls: number;
  /** Calls of the architecture. */
  readonly ofAll: number;
  /** Calls that the engine's default allows. */
  readonly engineDefault: number;
  /** See closedVulnerabilities and closedWithConditions. */
  readonly closedVulnerabilities: number;
  readonly closedWithConditions: number;
  /** Vulnerabilities in the table. */
  readonly of: number;
}

export function attackSurface(profile: Profile): AttackSurface {
  return {
    calls: allowedNames(profile).length,
    ofAll: syscallNames(profile.architecture).length,
    engineDefault: engineDefaultNames(profile.architecture).length,
    closedVulnerabilities: closedVulnerabilities(profile).length,
    closedWithConditions: closedWithConditions(profile).length,
    of: VULNERABILITIES.length,
  };
}
