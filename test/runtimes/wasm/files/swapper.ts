// Swaps the directory `swap` of a folder for a link to the folder beside it, and back, until it is killed.
import { renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

const [folder = ''] = process.argv.slice(2);
const swap = join(folder, 'swap');
const kept = join(folder, 'kept');
process.stdout.write('ready\n');
for (;;) {
  renameSync(swap, kept);
  symlinkSync('../outside', swap);
  unlinkSync(swap);
  renameSync(kept, swap);
}
