export * from './executor-run.js';
export * from './execution-error.js';
export { type ExecutorContext, runExecutor } from './run-executor.js';
export { type ImageErrorCode, ImageError, type ResolvedImage, resolveImage } from './containers/resolve-image.js';
export { removeContainers } from './containers/remove-containers.js';
export { probeNode, type ProbeOptions } from './containers/probe-node.js';
export { removeStaleScratch, Scratch, type ScratchOptions } from './containers/scratch.js';
export { Recorder, type RecorderOptions } from './monitoring/recorder.js';
export { RecorderError, type RecorderErrorCode } from './monitoring/recorder-error.js';
