export * from './load.js';
export * from './example.js';
