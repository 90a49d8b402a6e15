/** A base for the image out of the files of Debian packages that are installed here, where no registry is at hand. */
import { execFileSync } from 'node:child_process';

/** What `debian:bookworm-slim` has and Spear uses: a C and a C++ library, a shell, and tools that make walls. */
const packages = [
  'base-files', 'dash', 'coreutils', 'grep', 'sed', 'util-linux', 'mount', 'perl-base',
  'libc6', 'libc-bin', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'libcrypt1', 'libtinfo6',
  'libmount1', 'libblkid1', 'libuuid1', 'libsmartcols1', 'libselinux1', 'libpcre2-8-0',
  'libcap-ng0', 'libpam0g', 'libaudit1', 'libudev1', 'libgmp10', 'libacl1', 'libattr1', 'libsystemd0',
]; // biome-ignore format: a list of words

/** Folders that Debian has merged into `/usr`, and that lead there. */
const merged = ['bin', 'sbin', 'lib', 'lib64'];
const moved = new RegExp(`^(${merged.join('|')})/`);
const unneeded = /^\/usr\/share\/(doc|man|locale|info|lintian|bash-completion)\//;
const most = 512 * 1024 * 1024;

/** Imports it into the engine under the name. Throws where a package is missing. */
export function importDebianBase(tag: string): void {
  const listed = execFileSync('dpkg-query', ['--listfiles', ...packages], { encoding: 'utf8' });
  const files = listed
    .split('\n')
    .filter((path) => path.startsWith('/') && path !== '/.' && !unneeded.test(path))
    .map((path) => path.slice(1).replace(moved, 'usr/$1/'))
    .filter((path) => !merged.includes(path));
  const names = new Set([...merged, ...files, 'etc/passwd', 'etc/group']);
  const tar = execFileSync(
    'tar',
    ['--create', '--directory', '/', '--no-recursion', '--null', '--files-from', '-'],
    { input: [...names].join('\0'), maxBuffer: most },
  );
  execFileSync('docker', ['import', '-', tag], { input: tar, stdio: ['pipe', 'ignore', 'inherit'] });
}
