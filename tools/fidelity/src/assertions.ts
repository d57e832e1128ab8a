/**
 * What publications say that a comparison must show: figures and orderings, each with its source.
 *
 * N is native, I software emulation, HS VT-x with shadow paging, HE VT-x with nested paging, BT binary translation, PV paravirtualization,
 * CT a container. Role C: constants of the cost model come from these figures, so they hold by construction. Role V: they say something
 * about the model.
 */

/** One statement. */
export interface Assertion {
  readonly id: string
  readonly role: 'C' | 'V'
  /** What is measured. */
  readonly metric: string
  /** What must hold. */
  readonly says: string
  /** What was published, and where. */
  readonly published: string
}

/** Publications by the keys of {@link assertions}. */
export const sources: Readonly<Record<string, string>> = {
  AA06: 'Adams, Agesen: A Comparison of Software and Hardware Techniques for x86 Virtualization. ASPLOS 2006',
  ANJ20: 'Anjali, Caraza-Harter, Swift: Blending Containers and Virtual Machines. VEE 2020',
  AGILE16: 'Gandhi, Hill, Swift: Agile Paging. ISCA 2016',
  BAE10: 'Bae, Lange, Dinda: Comparing Approaches to Virtualized Page Translation. NWU-EECS-10-07, 2010',
  BHA08: 'Bhargava et al.: Accelerating Two-Dimensional Page Walks for Virtualized Systems. ASPLOS 2008',
  CKI25: 'Shi et al.: CKI. EuroSys 2025',
  DEVIRT22: 'ByteDance: KVM devirtualization. KVM Forum 2022',
  EPT09: 'VMware: Performance Evaluation of Intel EPT Hardware Assist. 2009',
  EVO10: 'Agesen et al.: The Evolution of an x86 Virtual Machine Monitor. SIGOPS OSR 44(4), 2010',
  FCSPEC: 'Firecracker: Specification',
  FEL14: 'Felter et al.: An Updated Performance Comparison of Virtual Machines and Linux Containers. IBM RC25482, 2014',
  GVISOR19: 'Young et al.: The True Cost of Containing: A gVisor Case Study. HotCloud 2019',
  HPC08: 'Walters et al.: A Comparison of Virtualization Technologies for HPC. AINA 2008',
  KAISER17: 'Hansen: KAISER. Linux kernel mailing list, 2017',
  KUT: 'kvm-unit-tests: vmexit',
  LIGHTVM17: 'Manco et al.: My VM is Lighter (and Safer) than your Container. SOSP 2017',
  MAFF12: 'Maffione: MSc thesis on the e1000 and virtio of QEMU. University of Pisa, 2012',
  PVM23: 'Huang et al.: PVM: Efficient Shadow Paging for Deploying Secure Containers. SOSP 2023',
  RI00: 'Robin, Irvine: Analysis of the Intel Pentium’s Ability to Support a Secure VMM. USENIX Security 2000',
  SECCOMP20: 'Zhu, Cook: seccomp constant-action bitmaps. Linux kernel mailing list, 2020',
  SRIOV10: 'Dong et al.: High Performance Network Virtualization with SR-IOV. HPCA 2010',
  TURTLES10: 'Ben-Yehuda et al.: The Turtles Project. OSDI 2010',
  XEN03: 'Barham et al.: Xen and the Art of Virtualization. SOSP 2003',
}

/** All of them, those about counts first. */
// biome-ignore format: a table
export const assertions: readonly Assertion[] = [
  v('S01', 'null system call', 'exits: HE = HS = 0', 'AA06: 246 cycles under VT-x, 242 native; PVM23: 0.06 µs under both'),
  v('S02', 'page-table entry changed', 'for one store: HE 0 exits, HS 1 traced store, BT 0, PV ≤ 1 hypercall for 2048', 'AA06 6.3; XEN03 4.2'),
  v('S04', 'page fault of the guest’s own', 'entries of the VMM: N = HE = 0, HS ≥ 1, BT ≥ 1, PV 2', 'AA06; XEN03 4.2'),
  v('S05', 'load of CR3', 'entries of the VMM: HE 0, HS 1, BT 1, PV 1', 'AA06 2.4; XEN03 table 4; EVO10 6.2'),
  v('S07', '18 sensitive instructions at CPL 3', 'no trap, and another result than at CPL 0', 'RI00: 17 counted, 18 named'),
  v('S08', 'references of a walk, i386, 4 KiB', 'N = HS = 2, HE 14, HE with 2 MiB pages 11', 'formula g·n + g + n'),
  v('S09', 'references of a walk, x86-64, 4 KiB', 'N 4, HE 24, HE with 2 MiB pages 19', 'BHA08: 24'),
  v('S10', 'packet by an emulated e1000', '5 to 7 exits', 'MAFF12: 6'),
  v('S11', 'packet by virtio-net, saturated', 'at most 0.1 notifications and interrupts', 'MAFF12: 0.005'),
  v('S12', 'packet by a virtual function', '0 exits', 'SRIOV10'),
  v('S13', 'CPUID of a guest’s guest', '10 to 20 exits to the lowest VMM', 'TURTLES10 4.3: 13'),
  v('S14', 'port access of a guest’s guest', '25 to 40 exits to the lowest VMM, more than CPUID', 'TURTLES10: 31 and 13'),
  v('S15', 'container, any workload', 'no exits, hypercalls, shadow updates', 'by definition; FEL14: 0 %'),
  c('A01', 'null system call', 'BT/N in 6–13', 'AA06: 2308 / 242 = 9.54'),
  c('A03', 'IN from port 80h', 'BT < N < HS, HS/N in 3–8', 'AA06: 216, 3209, 15826'),
  c('A04', 'call and return', 'BT/N in 3–7', 'AA06: 51 / 11'),
  c('A06', 'page fault', 'N < BT < HS, HS/BT in 2–4.5', 'AA06: 1093, 3927, 11242'),
  c('A07', 'divide error', 'HS/N ≤ 1.3, BT/N in 2–5', 'AA06: 889, 1014, 3223'),
  c('A08', 'page-table entry, unchanged', 'N ≤ HE < BT < HS, HS/BT in 15–60', 'AA06: 1, –, 391, 12733'),
  c('A09', 'page-table entry, present to not', 'BT < 50 cycles, HS > 5000 more than N', 'AA06: 17, 9154'),
  c('A11', 'RDTSC', 'translated < callout < trapped, trapped/translated in 5–15', 'AA06: 216, 1254, 2030'),
  c('A12', 'write to CR8', 'BT/N in 0.02–0.6', 'AA06: 35 / 150'),
  c('A13', 'a simple exit', 'HS 6000–18000 cycles', 'AA06: 4340 and ten VMREADs of 178'),
  v('A14', 'an instruction under an interpreter', 'I/N in 20–400', 'AA06: hundreds'),
  v('A15', 'translating, of 10⁸ instructions', 'BT at most 2 %', 'AA06: 2300 cycles an instruction'),
  v('A16', 'fork and wait', 'BT/N in 4–10', 'AA06: 6.14'),
  v('A18', 'fork and wait', 'N < PV < BT < HS, HE < BT', 'AA06: 6.02, –, 36.95, 106.4 s; XEN03; EVO10 6.2'),
  v('A22', 'fork', 'hosted BT/N in 4–14', 'XEN03: 874 / 110 µs'),
  v('A23', 'fork', 'HS/HE in 3–12', 'PVM23: 504.67 / 82.13 µs = 6.14'),
  v('A27', 'page fault', 'PV/N in 1.4–3', 'XEN03: 2.73 / 1.42 µs'),
  c('A28', 'protection fault', 'HS/HE in 2.5–9', 'PVM23: 3.17 / 0.66 µs = 4.80'),
  c('A29', 'page fault', 'HS/HE in 3–12', 'PVM23: 0.93 / 0.15 µs = 6.2'),
  v('A31', 'context switch', 'PV/N in 1.7–4', 'XEN03: 1.97 / 0.77 µs'),
  v('A34', 'random access', 'HE/N in 1.08–1.6', 'FEL14: 1 / 0.86 = 1.16; DEVIRT22: 1.53'),
  v('A36', 'crossover', 'HS < HE somewhere, HE < HS elsewhere', 'BAE10; AGILE16; EPT09; PVM23'),
  v('A39', 'null system call', 'PV/N in 0.95–1.15 (32-bit)', 'XEN03: 0.46 / 0.45 µs'),
  v('A40', 'null system call', 'HE/N in 0.95–1.1', 'AA06; CKI25: 90 ns under both; PVM23'),
  c('A41', 'null system call', 'PV in ring 3 / HE in 5–12', 'PVM23: 1.91 / 0.22 µs'),
  c('A42', 'null system call, page tables isolated', 'HS/HE in 6–14', 'PVM23: 2.09 / 0.22 µs'),
  c('A43', 'isolation of page tables', 'adds 200–900 cycles to a system call', 'KAISER17: 141 to 263 ns'),
  v('A44', 'a seccomp filter', 'adds 15–110 ns to a system call', 'SECCOMP20: 21–29 ns; GVISOR19: 70 ns'),
  v('A46', 'a kernel in user mode', 'native 1 < 2.9 < 27 < 207', 'GVISOR19: 0.22, 0.63, 5.96, 45.5 µs'),
  v('A47', 'arithmetic', 'BT, HS, HE, PV, CT / N in 0.94–1.1', 'AA06: 1.04, 1.05; XEN03: 567, 567, 554'),
  v('A48', 'arithmetic', 'CT/N in 0.98–1.04', 'FEL14: 290.9 / 290.8'),
  v('A50', 'a kernel built', 'PV/N in 1.01–1.1', 'XEN03: 271 / 263 s'),
  v('A51', 'a kernel built', 'BT/N in 1.15–1.7', 'AA06: 1.48; XEN03: 1.27'),
  v('A53', 'a kernel built', 'HE/N in 1.02–1.15', 'TURTLES10: 355 / 324.3 s'),
  v('A54', 'a kernel built, in a guest’s guest', 'nested/HE in 1.08–1.35', 'TURTLES10: 1.145'),
  v('A55', 'CPUID of a guest’s guest', 'nested/HE in 5–40', 'TURTLES10: 58000 / 2600; PVM23: 7.10 / 0.54 µs'),
  v('A56', 'packets a second, sent', 'virtio / e1000 in 3–15', 'MAFF12: 158.1 / 20.6'),
  v('A59', 'request and response', 'HE with virtio / N in 1.4–2.8', 'FEL14: 67.94 / 37.58 µs; HPC08: 2.0; ANJ20: 2.5'),
  v('A61', 'random blocks of 4 KiB a second', 'HE with virtio / N in 0.25–0.65', 'FEL14: 0.42–0.55'),
  v('A62', 'random blocks of 4 KiB a second', 'CT/N in 0.97–1.16', 'FEL14: 1.00'),
  c('A65', 'end of interrupt', 'decoded / by qualification in 2.5–4.5', 'SRIOV10: 8.4 / 2.5 thousand cycles'),
  c('A67', 'device in user space / in the kernel', '2–4', 'KUT: 20574 / 7237 cycles'),
  v('A69', 'start', 'fork and exec < container, microVM < full VM', 'LIGHTVM17: 3.5, 150–200, 2000 ms; FCSPEC: 125 ms'),
  v('D01', 'RAM of an instance', 'process < container < VM', 'LIGHTVM17: each of 1000 in Docker 5 MB, of Tinyx 27 MB; Debian 111 MB'),
  v('D02', 'RAM of a VMM for one guest', 'at most 5 MiB', 'FCSPEC'),
]

function v(id: string, metric: string, says: string, published: string): Assertion {
  return { id, role: 'V', metric, says, published }
}
function c(id: string, metric: string, says: string, published: string): Assertion {
  return { id, role: 'C', metric, says, published }
}
