export { classifyAddress, type AddressKind } from './http/address.js';
export { type Credential } from './credentials.js';
export { type OutputSource } from './outputs/open-output.js';
export { type OutputLimit } from './outputs/output-limit.js';
export { JobFiles, type OutputPermissions, type OutputPlace, type StagedOutput } from './outputs/output-target.js';
export { DEFAULT_HTTP_TIMEOUTS, type HttpTimeouts, type StagingRules, type StoredFile } from './rules.js';
export { stageInput } from './inputs/stage-input.js';
export { discardStaged, findPublished, publishStaged, stageOutput, type StageOptions } from './outputs/stage-output.js';
export { temporaryName } from './outputs/staged-file.js';
