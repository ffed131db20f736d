/** How the learning of one build stands, in one sentence. */

export interface Standing {
  readonly recordings: { readonly have: number; readonly need: number };
  readonly distinctInputs: { readonly have: number; readonly need: number };
  readonly partial: number;
  readonly failed: number;
  /** Recordings of ended jobs that nobody has looked at. */
  readonly waiting: number;
  readonly consideredAt: Date | null;
}

/** "2 of 3 recordings, 1 of 2 inputs; considered 4 s ago". */
export function standingSentence(standing: Standing, now: Date): string {
  const { recordings, distinctInputs, partial, failed, waiting, consideredAt } = standing;
  const facts = [
    enough(recordings, 'recording'),
    enough(distinctInputs, 'input'),
    ...(partial > 0 ? [`${partial} partial`] : []),
    ...(failed > 0 ? [`${failed} of failed runs`] : []),
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
  ];
  const considered = consideredAt
    ? `considered ${age(now.getTime() - consideredAt.getTime())} ago`
    : 'not considered yet';
  return `${facts.join(', ')}; ${considered}`;
}

function enough({ have, need }: { readonly have: number; readonly need: number }, what: string): string {
  return have < need ? `${have} of ${need} ${what}${need === 1 ? '' : 's'}` : `${have} ${what}${have === 1 ? '' : 's'}`;
}

const UNITS = [
  ['days', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const;

/** In the largest unit that it has two of. */
function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [unit, length] = UNITS.find(([, each]) => seconds >= 2 * each) ?? (['s', 1] as const);
  return `${Math.floor(seconds / length)} ${unit}`;
}
