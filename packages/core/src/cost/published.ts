/**
 * Published prices of virtualization events. Figures only; each profile names where they were published.
 *
 * Names of events are those of counters. `-rt` is a round trip; `bt-` belongs to binary translation, `spt-` to shadow
 * page tables, `kpti` to kernels that isolate page tables.
 */
import { type CostProfile, defineProfile } from './profile.ts'

const adamsAgesen =
  'K. Adams, O. Agesen, “A Comparison of Software and Hardware Techniques for x86 Virtualization”, ASPLOS 2006'
const evolution =
  'O. Agesen et al., “The Evolution of an x86 Virtual Machine Monitor”, ACM SIGOPS Operating Systems Review 44(4), 2010'

/** Pentium 4 672 at 3.8 GHz, 2005: the first processors with VT-x, on which an exit was dear. */
export const pentium4: CostProfile = defineProfile({
  name: 'P4_672',
  ghz: 3.8,
  source: `${adamsAgesen}; ${evolution}`,
  class: 'R',
  cycles: {
    'syscall-rt': 242,
    'in-port80': 3209,
    'cr8-write': 150,
    'call-ret': 11,
    'page-fault-rt': 1093,
    'exception-rt': 889,
    'pte-store': 1,
    cli: 60,
    'trap-emulate-rdtsc': 2030,
    'bt-callout-rdtsc': 1254,
    'bt-intc-rdtsc': 216,
    'vm-entry': 2409,
    'vm-exit-pf': 1931,
    vmread: 178,
    vmwrite: 171,
    'vmreads-per-exit': 10,
    'bt-translate-per-insn': 2300,
    'bt-indirect-extra': 40,
    'bt-syscall-extra': 2066,
    'bt-ptemod': 391,
    'bt-fault-sw': 2834,
  },
  derived: {
    'exit-in': 9706,
    'exit-ptemod-unchanged': 6613,
    'exit-ptemod-nptop': 10900,
    'exit-ptemod-ptonp': 3034,
    'exit-true-pgfault': 4029,
  },
})

/** Core 2 Duo at 2.66 GHz, 2006. */
export const core2: CostProfile = defineProfile({
  name: 'CORE2_2.66',
  ghz: 2.66,
  source: `${adamsAgesen}, table 1`,
  class: 'R',
  cycles: { 'vm-entry': 937, 'vm-exit-pf': 1186, vmread: 52, vmwrite: 44 },
})

/** Xeon X5570 (Nehalem) at 2.93 GHz, 2009, under KVM. */
export const nehalem: CostProfile = defineProfile({
  name: 'NHM_X5570_2.93',
  ghz: 2.93,
  source: 'A. Landau, M. Ben-Yehuda, A. Gordon, “SplitX: Split Guest/Hypervisor Execution on Multi-Core”, WIOV 2011',
  class: 'R',
  cycles: {
    'exit-direct': 2000,
    'exit-indirect-cpuid': 100,
    'exit-sync-cpuid': 100,
    'exit-indirect-cr': 2300,
    'exit-sync-cr': 200,
    'exit-indirect-io': 28000,
    'exit-sync-io': 6500,
    'nmi-ipi': 550,
  },
})

/** Xeon 8269CY (Cascade Lake) at 2.5 GHz, 2019, under KVM and PVM. */
export const cascadeLake: CostProfile = defineProfile({
  name: 'CLX_8269CY_2.5',
  ghz: 2.5,
  source:
    'H. Huang, J. Lai et al., “PVM: Efficient Shadow Paging for Deploying Secure Containers in Cloud-native Environment”, SOSP 2023',
  class: 'R',
  cycles: {
    hypercall: 1150,
    'exit-cpuid': 1350,
    'exit-msr': 2175,
    'exit-exception': 4150,
    'exit-pio': 9475,
    'world-switch': 263,
    'nested-world-switch': 3250,
    'pvm-world-switch': 448,
    'nested-hypercall': 18575,
    'syscall-nokpti': 150,
    'syscall-kpti': 550,
    'spt-syscall-kpti': 5225,
    'pvm-syscall': 725,
    'page-fault-ept': 375,
    'page-fault-spt': 2325,
    'prot-fault-ept': 1650,
    'prot-fault-spt': 7925,
  },
})

/** KVM in 2012, on hardware that the source does not name. */
export const kvm2012: CostProfile = defineProfile({
  name: 'KVM_2012_generic',
  source: 'P. Bonzini, kvm-unit-tests, commit 00bfecaa, 2012',
  class: 'R',
  cycles: {
    vmcall: 3898,
    'outl-kernel': 4451,
    'inl-kernel': 7237,
    'inl-qemu': 20574,
    'userspace-exit': 13000,
    'insn-emulation': 3300,
  },
})

/** Xeon E5-2450 at 2.1 GHz, under KVM and Xen. */
export const sandyBridge: CostProfile = defineProfile({
  name: 'XEON_E5_2450_2.1',
  ghz: 2.1,
  source: 'C. Dall et al., “ARM Virtualization: Performance and Architectural Implications”, ISCA 2016',
  class: 'M-H',
  cycles: {
    'kvm-hypercall': 1300,
    'xen-hypercall': 1228,
    'kvm-virtual-ipi': 5230,
    'kvm-eoi': 1556,
    'kvm-io-out': 560,
    'kvm-io-in': 18923,
    'kvm-vm-switch': 4812,
  },
})

/** What a container adds, in nanoseconds: combine it with a CPU's profile to have cycles. */
export const containerCosts: CostProfile = defineProfile({
  name: 'container',
  source:
    'Y. Zhu, K. Cook, “seccomp: constant-action bitmaps”, LKML 2020; E. Young et al., “The True Cost of Containing: A gVisor Case Study”, HotCloud 2019; F. Manco et al., “My VM is Lighter (and Safer) than your Container”, SOSP 2017',
  class: 'R',
  ns: {
    'seccomp-bitmap-filter': 29,
    'seccomp-3-full-filters': 86,
    'openclose-runc-extra': 360,
    'docker-start': 150e6,
    'fork-exec': 3.5e6,
  },
})

/** Memory references of a page walk on no CPU in particular; the cycles are from memory, of middling confidence. */
export const memoryCosts: CostProfile = defineProfile({
  name: 'generic_i386_memory',
  source: 'Common figures for cache hits and DRAM',
  class: 'M-M',
  cycles: { 'walk-ref-l1l2-hit': 7, 'walk-ref-dram': 200, 'tlb-hit': 0 },
})

/** All of the above, by name. */
export const publishedProfiles: Readonly<Record<string, CostProfile>> = Object.fromEntries(
  [pentium4, core2, nehalem, cascadeLake, kvm2012, sandyBridge, containerCosts, memoryCosts].map((profile) => [
    profile.name,
    profile,
  ]),
)
