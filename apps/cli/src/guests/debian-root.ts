/**
 * A root file system of Debian packages, as one archive: unpacked here, and configured by its own dpkg, which runs with the
 * packages' scripts on our kernel. So no root is needed and nothing of the host gets in; and since two runs of a program on that
 * kernel are the same, the same packages give the same archive.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { VmexitError } from '@vmexit/core'
import { createKernel, HostOutput, type LinuxKernel, populate, runKernel } from '@vmexit/linux'
import { packTree, TarReader } from '@vmexit/tar'
import { TmpFs } from '@vmexit/vfs'
import { dpkgExcludes, RootTree } from './root-tree.ts'
import { lastLines } from './run.ts'
import { imageTime } from './tools.ts'

/** What the system is made of: the packages that Debian calls essential, and what one wants to see run. What they need comes too. */
// biome-ignore format: a list
export const debianPackages: readonly string[] = [
  'base-files', 'base-passwd', 'bash', 'bsdutils', 'coreutils', 'dash', 'debianutils', 'diffutils', 'dpkg', 'findutils',
  'grep', 'gzip', 'hostname', 'libc-bin', 'login', 'mawk', 'ncurses-base', 'ncurses-bin', 'passwd', 'perl', 'perl-base',
  'procps', 'python3', 'sed', 'sysvinit-utils', 'tar', 'usr-is-merged', 'util-linux', 'musl', 'netbase',
]

/** A package's two archives, unpacked from their compression. */
export interface PackageArchives {
  readonly control: string
  readonly data: string
}

/** The files that make a machine of it. */
const FILES: Readonly<Record<string, string>> = {
  '/etc/dpkg/dpkg.cfg.d/excludes': dpkgExcludes,
  '/etc/hostname': 'vmexit\n',
  '/etc/hosts': '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\tvmexit\n',
  '/etc/fstab': '',
}

/**
 * What debootstrap does then: accounts first, which others' scripts look up. The last line takes away what says when and where it
 * was made.
 */
const CONFIGURE = `set -e
/var/lib/dpkg/info/base-passwd.preinst install
dpkg --force-depends --configure base-passwd 2>/dev/null
dpkg --force-depends --configure base-files 2>/dev/null
dpkg --configure -a
rm -f /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/dpkg/*-old /etc/*-
for log in /var/log/*.log; do : >"$log"; done
`
const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C',
  DEBIAN_FRONTEND: 'noninteractive',
  DEBCONF_NONINTERACTIVE_SEEN: 'true',
}

/** Makes the archive `file`. Throws `guests-root` where configuring fails; the signal's reason when aborted. */
export async function buildDebianRoot(
  file: string,
  packages: Iterable<PackageArchives>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const fs: { root?: TmpFs } = {}
  const kernel = createKernel({
    memory: '512 MiB',
    epoch: imageTime,
    root: (time) => (fs.root = new TmpFs({ time })),
  })
  const tree = new RootTree(kernel.vfs, kernel.vfs.newTask(kernel.tree))
  for (const { control, data } of packages) {
    tree.add({ control: filesOf(control), data: [readFileSync(data)] })
    signal?.throwIfAborted()
  }
  tree.finish()
  for (const [path, content] of Object.entries(FILES)) tree.file(path, content)
  populate(kernel)
  await configure(kernel, signal)
  // Another view of the root, without what is mounted on it.
  const plain = kernel.vfs.newTask(kernel.vfs.newTree(fs.root!))
  const out = openSync(file, 'w')
  try {
    for (const piece of packTree({ vfs: kernel.vfs, task: plain })) writeSync(out, piece)
  } finally {
    closeSync(out)
  }
}

async function configure(kernel: LinuxKernel, signal: AbortSignal | undefined): Promise<void> {
  let said = ''
  let status: number | undefined
  const decoder = new TextDecoder()
  const output = new HostOutput(kernel, (bytes) => {
    said += decoder.decode(bytes, { stream: true })
  })
  kernel.spawn({
    path: '/bin/sh',
    args: ['sh', '-c', CONFIGURE],
    env: ENVIRONMENT,
    files: [undefined, output, output],
    onExit: (ended) => {
      status = ended
    },
  })
  await runKernel(kernel, {
    pause: () => new Promise((done) => setImmediate(done)),
    slice: () => 20_000_000,
    isOver: () => signal?.aborted === true,
  })
  signal?.throwIfAborted()
  if (status === 0) return
  throw new VmexitError('guests-root', {
    problem: `the packages could not be configured: ${lastLines(said) || 'nothing was said'}`,
    remedy: 'fetch them anew with --refresh',
  })
}

/** The regular files of a small archive, by name. */
function filesOf(archive: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  let name = ''
  let pieces: Uint8Array[] = []
  const reader = new TarReader({
    entry: (entry) => {
      name = entry.type === 'file' ? entry.name.replace(/^(\.?\/)+/, '') : ''
      pieces = []
    },
    data: (bytes) => void pieces.push(bytes.slice()),
    end: () => {
      if (name !== '') files.set(name, new Uint8Array(Buffer.concat(pieces)))
    },
  })
  reader.push(readFileSync(archive))
  reader.finish()
  return files
}
