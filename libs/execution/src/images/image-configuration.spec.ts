import { describe, expect, it } from 'vitest';
import { imageAnswer } from '../engine/answers.js';
import { textProblem, toImageConfiguration } from './image-configuration.js';

const problemOf = (Config: object) =>
  textProblem(
    toImageConfiguration(
      imageAnswer.parse({ Id: `sha256:${'0'.repeat(64)}`, Os: 'linux', Architecture: 'amd64', Config }),
    ),
  );

describe('the texts of an image', () => {
  it.each(['Entrypoint', 'Cmd', 'Env'])('may be any in %s but for what no program can be given', (name) => {
    expect(problemOf({ [name]: ['a=\u{1f600}\n', '', '\u0001'] })).toBeNull();
    for (const bad of ['\0', 'a\0b', '\ud800', '\udc00x']) expect(problemOf({ [name]: ['ok', bad] })).not.toBeNull();
  });

  it.each([
    ['WorkingDir', 'WORKDIR'],
    ['User', 'USER'],
  ])('may be any in %s but for what no program can be given', (name, word) => {
    expect(problemOf({ [name]: '\u{1f600}' })).toBeNull();
    for (const bad of ['\0', '\ud800']) expect(problemOf({ [name]: bad })).toContain(word);
  });
});
