/**
 * Variables by which a loader, a shell, an interpreter or a tool is told what to run or where to find it. Sources:
 * ld.so(8), sh(1), bash(1), and the manuals of the interpreters. A name that ends with `*` stands for all that begin so.
 */
const patterns: readonly string[] = [
  // The loader and the C library.
  ...[
    'LD_*',
    'DYLD_*',
    'GLIBC_TUNABLES',
    'MALLOC_*',
    'GCONV_PATH',
    'LOCPATH',
    'NLSPATH',
    'TZDIR',
    'HOSTALIASES',
  ],
  // Shells.
  ...[
    'PATH',
    'IFS',
    'ENV',
    'BASH*',
    'SHELL',
    'SHELLOPTS',
    'PS4',
    'PROMPT_COMMAND',
    'CDPATH',
    'ZDOTDIR',
    'FPATH',
  ],
  // Where programs look for their own files.
  ...['HOME', 'XDG_*', 'TMPDIR', 'TMP', 'TEMP', 'TEMPDIR', 'TERMINFO*'],
  // Interpreters and virtual machines.
  ...['NODE_*', 'NPM_CONFIG_*', 'npm_config_*', 'DENO_*', 'BUN_*', 'PYTHON*', 'PERL*', 'RUBY*', 'GEM_*'],
  ...['BUNDLE_*', 'JAVA_*', '_JAVA_OPTIONS', 'JDK_*', 'CLASSPATH', 'LUA*', 'R_*', 'PHP*', 'JULIA_*', 'TCL*'],
  ...[
    'GUILE_*',
    'ERL_*',
    'ELIXIR_*',
    'DOTNET_*',
    'CORECLR_*',
    'COMPlus_*',
    'ASPNETCORE_*',
    'OCAML*',
    'GODEBUG',
  ],
  // Tools that start others, and libraries that load modules.
  ...[
    'GIT_*',
    'SSH_*',
    'EDITOR',
    'VISUAL',
    'PAGER',
    'BROWSER',
    'LESS*',
    'MAKEFLAGS',
    'OPENSSL_*',
    'SSLKEYLOGFILE',
  ],
  ...['SSL_CERT_*', 'KRB5*'],
];

const names = new Set(patterns.filter((name) => !name.endsWith('*')));
const beginnings = patterns.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));

/** Whether a value of the variable can make another program of the one that gets it. */
export function isLoaderVariable(name: string): boolean {
  return names.has(name) || beginnings.some((beginning) => name.startsWith(beginning));
}
