export * from './model/level.js';
export * from './model/condition.js';
export * from './kernel/argument-widths.js';
export { describeCall, describeUse, type ObservedCall } from './kernel/describe-call.js';
export { nodeArchitecture } from './kernel/node-architecture.js';
export { quoted, visible, visibleJson } from './kernel/visible-text.js';
export { hex } from './kernel/words/words.js';
export { SOCKET_FAMILIES } from './kernel/words/sockets.js';
export {
  type Alternative,
  byName,
  plainRules,
  type RefusalsByName,
  refusalsByName,
  type RulesByName,
  toRules,
} from './model/argument-rules.js';
export * from './model/files.js';
export * from './model/profile.js';
export * from './model/recording.js';
export * from './model/origins.js';
export * from './kernel/families.js';
export * from './learn/closure.js';
export * from './filter/instruction.js';
export * from './filter/filter-error.js';
export * from './kernel/syscalls.js';
export * from './kernel/engine-default.js';
export * from './filter/ceiling.js';
export * from './filter/eperm.js';
export * from './filter/guards.js';
export * from './filter/compile.js';
export * from './filter/validate.js';
export * from './filter/interpret.js';
export * from './filter/encode.js';
export * from './filter/disassemble.js';
export {
  AUDIT_ARCH,
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_DATA,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_USER_NOTIF,
} from './filter/bpf.js';
export * from './select-level.js';
export * from './stages/denial-class.js';
export * from './stages/stage.js';
export * from './stages/promotion.js';
export * from './stages/consequence.js';
export * from './stages/denial-class.js';
export * from './stages/denied-recording.js';
export * from './audit/audit-kind.js';
export * from './audit/departures.js';
export * from './audit/file-refusals.js';
export * from './model/canonical-json.js';
export * from './model/parse-profile.js';
export * from './model/content-digest.js';
export * from './model/approval.js';
export {
  type ApprovalKeys,
  approvalKeys,
  keyIdOf,
  parsePublicKeys,
  type TrustedKeys,
  trustedKeys,
} from './model/approval-key.js';
export * from './model/approval-list.js';
export * from './learn/aware-arguments.js';
export * from './learn/merge.js';
export * from './learn/first-seen.js';
export * from './learn/growth.js';
export * from './learn/standing.js';
export * from './files/file-rules-error.js';
export { FILE_RULES_MAXIMUM, PIDS_MAXIMUM } from './files/parse-files.js';
export { canonicalFiles, grants } from './files/rights.js';
export { type Places } from './files/places.js';
export * from './files/always-granted.js';
export * from './files/expand-rules.js';
export * from './files/to-variables.js';
export * from './files/generalise.js';
export { fileCoverageKey, isFileCoverageKey, proposedPids } from './files/learn-files.js';
export { keptFiles } from './files/kept-files.js';
export * from './files/derivations.js';
export * from './files/diff-files.js';
export { lintFiles } from './files/lint-files.js';
export * from './review/additions.js';
export * from './review/diff.js';
export * from './review/diff-conditions.js';
export { describeConditions } from './review/describe-conditions.js';
export * from './review/additions.js';
export * from './review/attack-surface.js';
export * from './review/lint.js';
export * from './review/loader-warnings.js';
export * from './review/review-calls.js';
export * from './review/would-refuse.js';
export * from './review/partial-words.js';
export * from './review/closed-vulnerabilities.js';
export { VULNERABILITIES, type Vulnerability } from './review/vulnerabilities.js';
export * from './exchange/oci.js';
export * from './exchange/import-oci.js';
export { IMPORT_FORMATS, type ImportFormat } from './exchange/oci-document.js';
export * from './exchange/runtime-calls.js';
export { type OciSeccomp, type OciSyscall } from './exchange/oci-format.js';
export { type OciArgument } from './exchange/oci-arguments.js';
