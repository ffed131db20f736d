export * from './executor-run.js';
export { DenialList, type ListedDenial } from './denial-list.js';
export * from './execution-error.js';
export * from './landlock-status.js';
export { type ExecutorContext, runExecutor } from './run-executor.js';
export { payloadCommand } from './containers/payload-command.js';
export { Engine, type EngineRequest } from './engine/engine.js';
export { EngineError, type EngineErrorReason } from './engine/engine-error.js';
export { DataRoot } from './images/data-root.js';
export { dropImage, importImage, type ImportedName } from './images/import-image.js';
export { tarOf } from './images/tar.js';
export { ImageError, type ImageErrorCode } from './images/image-error.js';
export { type ImageRoom, noRoom } from './images/image-room.js';
export { PullTurn } from './images/pull-turn.js';
export { type PullLimits } from './images/pull-watch.js';
export { type RegistryCredential } from './images/registry-credential.js';
export { type PresentImage, presentImages, pulledImages, removeImage, wasPulled } from './images/remove-image.js';
export {
  findImage,
  type ImageSource,
  type PrivateRepositories,
  type ResolvedImage,
  resolveImage,
  type ResolveImageOptions,
} from './images/resolve-image.js';
export { removeContainers } from './containers/remove-containers.js';
export { mountsBelow } from './containers/mounts.js';
export { type EngineFacts, probeNode, type ProbeOptions, readEngine } from './containers/probe-node.js';
export { removeStaleScratch, Scratch, scratchBytes, type ScratchOptions } from './containers/scratch.js';
export { Recorder, type RecorderOptions } from './monitoring/recorder.js';
export { RECORDING_KINDS, type RecordingKind } from './monitoring/recording.js';
export { RecorderError, type RecorderErrorCode } from './monitoring/recorder-error.js';
export { offeredMonitorings } from './monitoring/offered-monitorings.js';
