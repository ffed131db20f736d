export * from './adhoc-application.js';
export * from './attempt-state.js';
export * from './check-job.js';
export * from './error-catalogue.js';
export * from './job-error.js';
export * from './job-specification.js';
export * from './job-state.js';
export * from './waiting-reason.js';
