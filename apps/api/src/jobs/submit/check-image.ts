/** Refuses what cannot be the reference of an image, before anything is stored. */
import { imageReferenceProblem } from '#lib/jobs';
import { PorinError } from '../../errors/porin-error.js';

/** Throws image-invalid. */
export function checkImage(image: string): void {
  const problem = imageReferenceProblem(image);
  if (problem === null) return;
  const shown = image.length > 200 ? `${image.slice(0, 200)}...` : image;
  throw PorinError.of('image-invalid', { image: JSON.stringify(shown), detail: `${problem}.` });
}
