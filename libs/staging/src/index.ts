export { classifyAddress, type AddressKind } from './address.js';
export { type OutputSource } from './open-output.js';
export { publishOutput, type PublishOptions } from './publish-output.js';
export { DEFAULT_HTTP_TIMEOUTS, type HttpTimeouts, type StagingRules, type StoredFile } from './rules.js';
export { stageInput } from './stage-input.js';
export { isUrlAllowed, urlPrefixProblem } from './url-prefix.js';
