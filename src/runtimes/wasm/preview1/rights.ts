/** Rights of a descriptor, by the bit of the interface's `rights`; all that there are fit 30 bits. */
export const rights = {
  fdDatasync: 1 << 0,
  fdRead: 1 << 1,
  fdSeek: 1 << 2,
  fdFdstatSetFlags: 1 << 3,
  fdSync: 1 << 4,
  fdTell: 1 << 5,
  fdWrite: 1 << 6,
  fdAdvise: 1 << 7,
  fdAllocate: 1 << 8,
  pathCreateDirectory: 1 << 9,
  pathCreateFile: 1 << 10,
  pathLinkSource: 1 << 11,
  pathLinkTarget: 1 << 12,
  pathOpen: 1 << 13,
  fdReaddir: 1 << 14,
  pathReadlink: 1 << 15,
  pathRenameSource: 1 << 16,
  pathRenameTarget: 1 << 17,
  pathFilestatGet: 1 << 18,
  pathFilestatSetSize: 1 << 19,
  pathFilestatSetTimes: 1 << 20,
  fdFilestatGet: 1 << 21,
  fdFilestatSetSize: 1 << 22,
  fdFilestatSetTimes: 1 << 23,
  pathSymlink: 1 << 24,
  pathRemoveDirectory: 1 << 25,
  pathUnlinkFile: 1 << 26,
  pollFdReadwrite: 1 << 27,
} as const;

const allBits = 0x3fff_ffffn;

/** What only a file that was opened for writing can do. */
export const writingRights = rights.fdWrite | rights.fdAllocate | rights.fdFilestatSetSize;

export const fileRights =
  writingRights |
  rights.fdDatasync |
  rights.fdRead |
  rights.fdSeek |
  rights.fdFdstatSetFlags |
  rights.fdSync |
  rights.fdTell |
  rights.fdAdvise |
  rights.fdFilestatGet |
  rights.fdFilestatSetTimes |
  rights.pollFdReadwrite;

export const directoryRights =
  rights.fdDatasync |
  rights.fdFdstatSetFlags |
  rights.fdSync |
  rights.pathCreateDirectory |
  rights.pathCreateFile |
  rights.pathLinkSource |
  rights.pathLinkTarget |
  rights.pathOpen |
  rights.fdReaddir |
  rights.pathReadlink |
  rights.pathRenameSource |
  rights.pathRenameTarget |
  rights.pathFilestatGet |
  rights.pathFilestatSetSize |
  rights.pathFilestatSetTimes |
  rights.fdFilestatGet |
  rights.fdFilestatSetTimes |
  rights.pathSymlink |
  rights.pathRemoveDirectory |
  rights.pathUnlinkFile;

const streamRights = rights.fdFdstatSetFlags | rights.fdFilestatGet | rights.pollFdReadwrite;
export const inputRights = streamRights | rights.fdRead;
export const outputRights = streamRights | rights.fdWrite;

/** Bits that mean nothing are dropped: old programs ask for all 64. */
export function rightsOf(bits: bigint): number {
  return Number(bits & allBits);
}
