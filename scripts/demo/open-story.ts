/** A story of the demo, and what it needs beside the stack. */
import { type InstanceName } from '../services/instance.js';
import { type Variables } from '../services/programs.js';
import { type Scene } from './scene.js';

export interface Story {
  /** Of the stack that it is told on. */
  readonly instance: InstanceName;
  /** Whether the stack is of use without what the story has beside it. */
  readonly canStay: boolean;
  /** Starts what it needs beside the stack. */
  readonly open: () => Promise<OpenStory>;
}

export interface OpenStory {
  /** For the programs. */
  readonly variables: (dataDirectories: { readonly inputs: string; readonly outputs: string }) => Variables;
  /** Throws StoryError where it cannot go on; smaller differences are left in `scene.problems`. */
  readonly tell: (scene: Scene) => Promise<void>;
  readonly close: () => Promise<void>;
}
