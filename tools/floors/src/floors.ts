/**
 * The floors of the house. A package depends only on floors below its own. Apps stand above all floors, and tools
 * beside the house: they may use everything, and no package may use them.
 */

const scope = '@vmexit/'

/** Package names without their scope, floor 0 first. */
const floors: readonly (readonly string[])[] = [
  ['core'],
  ['memory', 'paging', 'x86-decoder', 'wasm-asm', 'virtqueue', 'elf', 'net', 'block', 'vfs', 'cgroup'],
  ['x86', 'jit', 'pci', 'overlayfs', 'tar'],
  ['vmm', 'image'],
  [
    ...['software-emulation', 'trap-and-emulate', 'binary-translation', 'vtx', 'xen'],
    ...['shadow-paging', 'nested-paging', 'direct-paging'],
    ...['chipset', 'vga', 'boot', 'nic', 'virtio', 'passthrough'],
  ],
  ['linux'],
  ['container'],
  ['vmexit', 'guests', 'conformance'],
  ['compare'],
]

/** The edges that stay on one floor, as "from → to". */
const sameFloor: ReadonlySet<string> = new Set(['jit → x86'])

/** The floor of a package such as `@vmexit/x86`, or undefined where the table does not name it. */
export function floorOf(packageName: string): number | undefined {
  if (!packageName.startsWith(scope)) return undefined
  const floor = floors.findIndex((names) => names.includes(packageName.slice(scope.length)))
  return floor < 0 ? undefined : floor
}

/** Whether one package may depend on another. Both must be in the table. */
export function mayDepend(from: string, to: string): boolean {
  const above = floorOf(from)
  const below = floorOf(to)
  if (above === undefined || below === undefined) return false
  return below < above || sameFloor.has(`${from.slice(scope.length)} → ${to.slice(scope.length)}`)
}
