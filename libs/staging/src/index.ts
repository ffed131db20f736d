export { classifyAddress, type AddressKind } from './address.js';
export { type OutputSource } from './open-output.js';
export { type OutputLimit } from './output-limit.js';
export { type OutputPermissions, type OutputPlace, type StagedOutput } from './output-target.js';
export { DEFAULT_HTTP_TIMEOUTS, type HttpTimeouts, type StagingRules, type StoredFile } from './rules.js';
export { stageInput } from './stage-input.js';
export { discardStaged, publishStaged, stageOutput, type StageOptions } from './stage-output.js';
export { temporaryName } from './staged-file.js';
