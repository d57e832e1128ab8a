/** How large packs may be: what comes over the network when a package is installed, in kilobytes of 1000 bytes. */

/** What no package may be larger than, unless it has a budget of its own below. */
const usual = 60

// biome-ignore format: one line for one package
const budgets: Readonly<Record<string, number>> = {
  boot: 90,
  cgroup: 130,
  chipset: 360,
  compare: 160,
  conformance: 220,
  container: 230,
  core: 140,
  guests: 150,
  image: 210,
  jit: 150,
  linux: 1060,
  net: 390,
  overlayfs: 110,
  vfs: 400,
  vga: 100,
  vmexit: 110,
  x86: 870,
  'x86-decoder': 90,
}

/** The budget of a package, in bytes. */
export function budgetOf(name: string): number {
  return (budgets[name.replace('@vmexit/', '')] ?? usual) * 1000
}
