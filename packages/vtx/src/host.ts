/** VMX root operation of one CPU of the machine, which all virtual CPUs on it share. */
import type { Clock } from '@vmexit/core'
import { PAGE_BYTES } from '@vmexit/memory'
import type { HostPages } from '@vmexit/vmm'
import { type Cpu, VMCS_REVISION, VmxRoot } from '@vmexit/x86'

const HOSTS = new WeakMap<Cpu, VtxHost>()

/** Who can be on the CPU. */
export interface Tenant {
  /** Another is going to run: take what the CPU holds of it. */
  evict(): void
}

/** Of one virtual CPU. */
export interface Lease {
  /** Physical addresses of its VMCS region and of a page for its MSR bitmap. */
  readonly vmcs: number
  readonly msrBitmap: number
  /** A VPID that no other virtual CPU has. */
  readonly vpid: number
}

/** The CPU, and who is on it. */
export class VtxHost {
  readonly cpu: Cpu
  readonly clock: Clock
  readonly pages: HostPages
  readonly root: VmxRoot
  #tenant: Tenant | undefined
  #vpids = 0
  readonly #freeVpids: number[] = []

  /** That of `cpu`. @throws VmexitError `vmx-taken`, `machine-memory`. */
  static of(cpu: Cpu, clock: Clock, pages: HostPages): VtxHost {
    const known = HOSTS.get(cpu)
    if (known !== undefined) return known
    const host = new VtxHost(cpu, clock, pages)
    HOSTS.set(cpu, host)
    return host
  }

  private constructor(cpu: Cpu, clock: Clock, pages: HostPages) {
    this.cpu = cpu
    this.clock = clock
    this.pages = pages
    this.root = new VmxRoot(cpu.vmx!, this.region())
  }

  /** A VMCS region, or that of VMXON: a page with the revision. */
  region(): number {
    const address = this.pages.allocate() * PAGE_BYTES
    this.pages.memory.write32(address, VMCS_REVISION)
    return address
  }

  /** What a virtual CPU has of the machine. @throws VmexitError `machine-memory`; nothing is taken then. */
  lease(): Lease {
    const vmcs = this.region()
    try {
      const msrBitmap = this.pages.allocate() * PAGE_BYTES
      return { vmcs, msrBitmap, vpid: this.#freeVpids.pop() ?? ++this.#vpids }
    } catch (error) {
      this.pages.free(vmcs / PAGE_BYTES)
      throw error
    }
  }
  /** Takes it back. What the TLB holds of it is the caller's to drop before. */
  release({ vmcs, msrBitmap, vpid }: Lease): void {
    this.root.clear(vmcs)
    for (const address of [vmcs, msrBitmap]) this.pages.free(address / PAGE_BYTES)
    this.#freeVpids.push(vpid)
  }

  /** Is `tenant` on the CPU now? */
  isOn(tenant: Tenant): boolean {
    return this.#tenant === tenant
  }
  /** Puts `tenant` on the CPU, and whoever is there off it. */
  admit(tenant: Tenant): void {
    if (this.#tenant === tenant) return
    this.#tenant?.evict()
    this.#tenant = tenant
  }
  leave(tenant: Tenant): void {
    if (this.#tenant === tenant) this.#tenant = undefined
  }
}
