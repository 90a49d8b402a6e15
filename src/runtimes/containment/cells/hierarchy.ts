import { readFileSync } from 'node:fs';

/** One mounted cgroup hierarchy, and the folder in it that the node is in. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** What it controls; for version 2 this stands in the folder, not here. */
  readonly controllers: readonly string[];
  readonly folder: string;
}

/**
 * The hierarchies that the node can see its own folder in, from the text of `/proc/self/cgroup` and
 * `/proc/self/mountinfo`.
 */
export function ownHierarchies(selfCgroup: string, mountinfo: string): Hierarchy[] {
  const found: Hierarchy[] = [];
  for (const mount of mountinfo.split('\n')) {
    const [before, after] = mount.split(' - ');
    if (before === undefined || after === undefined) continue;
    const [, , , root, point] = before.split(' ');
    const [type, , superOptions] = after.split(' ');
    if (root === undefined || point === undefined || superOptions === undefined) continue;
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    const options = type === 'cgroup' ? superOptions.split(',') : [];
    const own = ownPath(selfCgroup, options);
    const below = own === undefined ? undefined : pathBelow(fromOctal(root), own.path);
    if (own === undefined || below === undefined) continue;
    found.push({
      version: type === 'cgroup' ? 1 : 2,
      controllers: own.controllers,
      folder: `${fromOctal(point)}${below}`,
    });
  }
  return found;
}

/** Where the root of the memory hierarchy of version 1 is mounted; undefined where it is not to be seen. */
export function memoryRoot(): string | undefined {
  for (const mount of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [before = '', after = ''] = mount.split(' - ');
    const [, , , root, point] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    if (type === 'cgroup' && root === '/' && options.split(',').includes('memory') && point !== undefined)
      return fromOctal(point);
  }
  return undefined;
}

/** The line of `/proc/self/cgroup` for the hierarchy with these mount options; none of them for version 2. */
function ownPath(
  selfCgroup: string,
  options: readonly string[],
): { controllers: string[]; path: string } | undefined {
  for (const line of selfCgroup.split('\n')) {
    const [id, names, ...path] = line.split(':');
    if (names === undefined) continue;
    const controllers = names === '' ? [] : names.split(',');
    const matches =
      options.length === 0
        ? id === '0'
        : controllers.length > 0 && controllers.every((c) => options.includes(c));
    if (matches) return { controllers, path: path.join(':') };
  }
  return undefined;
}

/** `path` as seen below `root`, empty or with a slash before it; undefined where it is not below. */
function pathBelow(root: string, path: string): string | undefined {
  if (path.startsWith('/..')) return undefined;
  if (root === '/') return path === '/' ? '' : path;
  if (path === root) return '';
  return path.startsWith(`${root}/`) ? path.slice(root.length) : undefined;
}

/** mountinfo writes space, tab, newline and backslash in octal. */
function fromOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
