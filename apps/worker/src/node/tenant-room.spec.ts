import { type PresentImage } from '#lib/execution';
import { describe, expect, it } from 'vitest';
import { imagesToGiveUp, leftBytes, type TenantImage, tenantImages } from './tenant-room.js';

const present = (imageId: string, ...repositoryDigests: string[]): PresentImage => ({
  imageId,
  repositoryDigests: repositoryDigests.length > 0 ? repositoryDigests : [`r/${imageId}@1`],
  tags: [],
  bytes: 10,
});
const own = (repositoryDigest: string) => ({ repositoryDigest, isOwn: true, isOthers: false });
const others = (repositoryDigest: string) => ({ repositoryDigest, isOwn: false, isOthers: true });
const counted = (imageId: string, bytes: number, isShared = false): TenantImage => ({
  ...present(imageId),
  bytes,
  isShared,
});
const idsOf = (images: readonly PresentImage[] | undefined) => images?.map(({ imageId }) => imageId);

describe('the images of a tenant on a node', () => {
  it('are those that its jobs have used, the last used first', () => {
    const images = tenantImages([present('a'), present('b'), present('c')], [own('r/c@1'), own('r/a@1')]);
    expect(images).toMatchObject([
      { imageId: 'c', isShared: false },
      { imageId: 'a', isShared: false },
    ]);
  });

  it('are not those of others, nor what is not here', () => {
    expect(tenantImages([present('a')], [others('r/a@1'), own('gone@1')])).toEqual([]);
  });

  it('are shared where another tenant has used them, by whatever name', () => {
    const image = present('a', 'r/a@1', 's/a@1');
    expect(tenantImages([image], [{ ...own('r/a@1'), isOthers: true }])).toMatchObject([{ isShared: true }]);
    expect(tenantImages([image], [own('r/a@1'), others('s/a@1')])).toMatchObject([{ isShared: true }]);
  });

  it('count once that came from several repositories, by their last use', () => {
    const images = tenantImages(
      [present('a', 'r/a@1', 's/a@1'), present('b')],
      [own('s/a@1'), own('r/b@1'), own('r/a@1')],
    );
    expect(idsOf(images)).toEqual(['a', 'b']);
  });
});

describe('the room for another image', () => {
  const [last, middle, first] = [counted('last', 30), counted('middle', 20), counted('first', 10)];
  const giveUp = (neededBytes: number, needed: readonly TenantImage[] = [], maximumBytes = 100) =>
    idsOf(
      imagesToGiveUp([last, middle, first], {
        neededBytes,
        maximumBytes,
        mayGiveUp: (image) => !needed.includes(image),
      }),
    );

  it('is what the others leave of the bound, and never less than nothing', () => {
    expect(leftBytes([last, middle, first], 100)).toBe(40);
    expect(leftBytes([last, middle, first], 60)).toBe(0);
    expect(leftBytes([last, middle, first], 50)).toBe(0);
    expect(leftBytes([], 50)).toBe(50);
  });

  it('is there up to the last byte without anything given up', () => {
    expect(giveUp(40)).toEqual([]);
    expect(giveUp(0)).toEqual([]);
  });

  it('is made by the fewest, those first that were not used for longest', () => {
    expect(giveUp(41)).toEqual(['first']);
    expect(giveUp(50)).toEqual(['first']);
    expect(giveUp(51)).toEqual(['first', 'middle']);
    expect(giveUp(100)).toEqual(['first', 'middle', 'last']);
  });

  it('is not made by what is needed', () => {
    expect(giveUp(50, [first])).toEqual(['middle']);
    expect(giveUp(90, [first])).toEqual(['middle', 'last']);
  });

  it('costs nothing where it cannot be made', () => {
    expect(giveUp(101)).toBeUndefined();
    expect(giveUp(91, [first])).toBeUndefined();
    expect(giveUp(1, [last, middle, first], 60)).toBeUndefined();
  });

  it('counts shared images as the tenant’s own', () => {
    const shared = counted('shared', 60, true);
    const demand = { neededBytes: 50, maximumBytes: 100, mayGiveUp: () => true };
    expect(leftBytes([shared], 100)).toBe(40);
    expect(idsOf(imagesToGiveUp([shared], demand))).toEqual(['shared']);
  });

  it('is made where the bound was lowered', () => {
    expect(giveUp(10, [], 30)).toEqual(['first', 'middle', 'last']);
    expect(giveUp(31, [], 30)).toBeUndefined();
  });
});
