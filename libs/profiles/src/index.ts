export * from './model/level.js';
export * from './model/profile.js';
export * from './model/recording.js';
export * from './filter/instruction.js';
