export * from './data-source.js';
export * from './migrate.js';
export * from './entities/application.js';
export * from './entities/executor-run.js';
export * from './entities/job.js';
export * from './entities/profile-version.js';
export * from './entities/trust.js';
