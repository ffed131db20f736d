/** What can be read off an image's name: its repository, and whether two names are of one. */

/** Without tag and digest. A colon before the last slash belongs to a registry's port. */
export function repositoryOf(reference: string): string {
  const [name = ''] = reference.split('@', 1);
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}

/** Docker Hub's may be written short, and engines differ in how they write them (distribution/reference, FamiliarName). */
export function sameRepository(one: string, other: string): boolean {
  return familiarRepository(one) === familiarRepository(other);
}

/** Without tag and digest the engine would pull every tag of the repository. */
export function withTag(reference: string): string {
  return hasDigest(reference) || repositoryOf(reference) !== reference ? reference : `${reference}:latest`;
}

export function hasDigest(reference: string): boolean {
  return reference.includes('@');
}

function familiarRepository(reference: string): string {
  const repository = repositoryOf(reference);
  const path = repository.replace(/^(index\.)?docker\.io\//, '');
  return path.replace(/^library\//, '');
}
