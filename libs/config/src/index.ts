export * from './load.js';
export * from './example.js';
export * from './program.js';
export * from './public-keys.js';
export * from './log-destination.js';
export * from './idle-thread.js';
export * from './signing-key.js';
export * from './secret-keys.js';
