export { classifyAddress, type AddressKind } from './http/address.js';
export { type Credential } from './credentials.js';
export { type S3Endpoint } from './s3/endpoint.js';
export { type OutputSource } from './outputs/open-output.js';
export { createFile, type FileOwner } from './outputs/create-file.js';
export { errorCode } from './failure.js';
export {
  type SelectedFile,
  type SelectedFiles,
  SelectionBudget,
  selectFiles,
  type SelectOptions,
} from './outputs/select-files.js';
export { type OutputLimit } from './outputs/output-limit.js';
export { JobFiles, type OutputPermissions, type OutputPlace, type StagedOutput } from './outputs/output-target.js';
export { DEFAULT_HTTP_TIMEOUTS, type HttpTimeouts, type StagingRules } from './rules.js';
export { type StoredFile } from './stored-file.js';
export { InputCache, type InputCacheOptions } from './cache/input-cache.js';
export { CachedInputs } from './cache/cached-inputs.js';
export { JobInputs, type StagingProgress } from './inputs/job-inputs.js';
export { stageInput } from './inputs/stage-input.js';
export { discardStaged, findPublished, publishStaged, stageOutput, type StageOptions } from './outputs/stage-output.js';
export { temporaryName } from './outputs/staged-file.js';
