/** Named processors: what CPUID says, which control bits and model-specific registers there are, what the decoder is to know. */
import { VmexitError } from '@vmexit/core'
import type { Feature } from '@vmexit/x86-decoder'
import { Flag } from '../state/layout.ts'
import { type VmxCapabilities, vmxCapabilities } from '../vmx/capabilities.ts'
import { type VmxFeatures, vmxFeatures } from '../vmx/features.ts'
import { vmxMsrs } from '../vmx/msrs.ts'
import { Cr0, Cr4 } from './bits.ts'
import type { Core, CpuModel } from './core.ts'
import { MSR, type MsrTable, p6Msrs, pentiumMsrs, readMsr, writeMsr, XD_DISABLE } from './msrs.ts'

/** CPUID leaf 1 EDX, by bit (SDM vol. 2, table 3-11). */
const FEATURE_BITS: Readonly<Record<Exclude<ModelFeature, 'nx' | 'vmx'>, number>> = {
  fpu: 0,
  vme: 1,
  de: 2,
  pse: 3,
  tsc: 4,
  msr: 5,
  pae: 6,
  mce: 7,
  cx8: 8,
  apic: 9,
  sep: 11,
  mtrr: 12,
  pge: 13,
  mca: 14,
  cmov: 15,
  pat: 16,
  pse36: 17,
  clfsh: 19,
  mmx: 23,
  fxsr: 24,
  sse: 25,
  sse2: 26,
  ss: 27,
}

/** CPUID leaf 1 ECX (table 3-10). */
const ECX_VMX = 1 << 5

/** A feature of a model; `nx` is bit 20 of EDX of leaf 80000001H, `vmx` bit 5 of ECX of leaf 1. */
export type ModelFeature =
  | 'fpu'
  | 'vme'
  | 'de'
  | 'pse'
  | 'tsc'
  | 'msr'
  | 'pae'
  | 'mce'
  | 'cx8'
  | 'apic'
  | 'sep'
  | 'mtrr'
  | 'pge'
  | 'mca'
  | 'cmov'
  | 'pat'
  | 'pse36'
  | 'clfsh'
  | 'mmx'
  | 'fxsr'
  | 'sse'
  | 'sse2'
  | 'ss'
  | 'nx'
  | 'vmx'

/** What a feature cannot be without. */
const NEEDS: Partial<Record<ModelFeature, ModelFeature>> = {
  nx: 'pae',
  pse36: 'pse',
  mmx: 'fpu',
  fxsr: 'fpu',
  sse: 'fxsr',
  sse2: 'sse',
  sep: 'msr',
  apic: 'msr',
  mtrr: 'msr',
  mca: 'msr',
  tsc: 'msr',
  pat: 'msr',
  vmx: 'msr',
}

/** Bits of CR4 that come with features. */
const CR4_BITS: Partial<Record<ModelFeature, number>> = {
  vme: Cr4.VME | Cr4.PVI,
  tsc: Cr4.TSD,
  de: Cr4.DE,
  pse: Cr4.PSE,
  pae: Cr4.PAE,
  mce: Cr4.MCE,
  pge: Cr4.PGE,
  fxsr: Cr4.OSFXSR,
  sse: Cr4.OSXMMEXCPT,
  vmx: Cr4.VMXE,
}

const DECODED: readonly (ModelFeature & Feature)[] = [
  'fpu',
  'tsc',
  'msr',
  'cx8',
  'sep',
  'cmov',
  'mmx',
  'fxsr',
  'sse',
  'sse2',
  'clfsh',
  'vmx',
]

/** The data of a model. */
interface ModelData {
  readonly family: 3 | 4 | 5 | 6
  readonly signature: number
  readonly features: readonly ModelFeature[]
  readonly brand?: string
  /** CPUID leaf 2: EAX, EBX, ECX, EDX. */
  readonly caches?: readonly [number, number, number, number]
}

const P5: readonly ModelFeature[] = ['fpu', 'vme', 'de', 'pse', 'tsc', 'msr', 'mce', 'cx8', 'mmx']
const P6: readonly ModelFeature[] = [
  'pae',
  'apic',
  'sep',
  'mtrr',
  'pge',
  'mca',
  'cmov',
  'pat',
  'pse36',
  'clfsh',
  'fxsr',
  'sse',
  'sse2',
  'ss',
  'nx',
]

const MODELS: Readonly<Record<ModelName, ModelData>> = {
  /** 80386 with an 80387. */
  i386: { family: 3, signature: 0x308, features: ['fpu'] },
  /** 80486DX2: no CPUID. */
  '486': { family: 4, signature: 0x433, features: ['fpu'] },
  /** Pentium with MMX. */
  pentium: { family: 5, signature: 0x543, features: P5 },
  /** Family 6, model 13: Pentium M, with PAE and NX as its last steppings have. */
  'pentium-m': {
    family: 6,
    signature: 0x6d8,
    features: [...P5, ...P6],
    brand: 'Intel(R) Pentium(R) M processor',
    caches: [0x02b3_b001, 0xf0, 0, 0x2c04_307d],
  },
}

/** A processor that {@link createModel} knows. */
export type ModelName = 'i386' | '486' | 'pentium' | 'pentium-m'

/** What may differ from a named model. */
export interface ModelOptions {
  /** Features to add to the model's or to take from it. */
  readonly features?: Partial<Record<ModelFeature, boolean>>
  /** Initial APIC ID; 0 is the bootstrap processor. Default 0. */
  readonly apicId?: number
  /** CPUID leaves 80000002H to 80000004H, at most 47 characters. */
  readonly brand?: string
  /** Microcode revision. Default 1. */
  readonly microcode?: number
  /** Of a model with the feature `vmx`: parts of it to take away. Default: it has all. */
  readonly vmx?: Partial<VmxFeatures>
}

/** Feature sets after {@link ModelOptions.features}. @throws VmexitError `cpu-model` naming every feature that lacks what it needs. */
function featuresOf(name: ModelName, options: ModelOptions): ReadonlySet<ModelFeature> {
  const features = new Set<ModelFeature>(MODELS[name].features)
  for (const [feature, on] of Object.entries(options.features ?? {}) as [ModelFeature, boolean][]) {
    if (on) features.add(feature)
    else features.delete(feature)
  }
  const lacking = [...features].filter((feature) => NEEDS[feature] && !features.has(NEEDS[feature]))
  if (lacking.length > 0) {
    throw new VmexitError('cpu-model', {
      problem: `CPU model ${name} has ${lacking.map((feature) => `${feature} without ${NEEDS[feature]}`).join(', ')}`,
      remedy: `switch ${lacking.join(', ')} off too, or leave ${lacking.map((feature) => NEEDS[feature]).join(', ')} on`,
    })
  }
  return features
}

/** A named model. @throws VmexitError `cpu-model` for features that cannot be together, or a brand too long. */
export function createModel(name: ModelName, options: ModelOptions = {}): CpuModel {
  const data: ModelData = MODELS[name]
  const brand = options.brand ?? data.brand ?? ''
  if (brand.length > 47) {
    throw new VmexitError('cpu-model', {
      problem: `the brand of CPU model ${name} has ${brand.length} characters`,
      remedy: 'CPUID holds 47; shorten it',
    })
  }
  const features = featuresOf(name, options)
  const physicalAddressBits = features.has('pae') || features.has('pse36') ? 36 : 32
  const apicId = options.apicId ?? 0
  const vmx = vmxOf(name, options, features, physicalAddressBits)
  const msrs = msrsOf(data.family, features, physicalAddressBits, apicId === 0, options.microcode ?? 1)
  const allMsrs: MsrTable = vmx ? new Map([...msrs, ...vmxMsrs(vmx)]) : msrs
  const leaves = new CpuidLeaves(data, features, brand, apicId, physicalAddressBits)
  return {
    name,
    features: decoderFeatures(data.family, features),
    signature: data.signature,
    cr0Mask: cr0Mask(data.family),
    cr4Mask: cr4Mask(data.family, features),
    flagsMask: flagsMask(data.family, features),
    physicalAddressBits,
    cpuid: (core, leaf, _subleaf, out) => leaves.read(core, leaf, out),
    ...(vmx && { vmx }),
    readMsr: (core, msr) => readMsr(allMsrs, core, msr),
    writeMsr: (core, msr, value) => writeMsr(allMsrs, core, msr, value),
  }
}

/** The model that a CPU has unless told otherwise: a GenuineIntel of family 6. */
export function defaultModel(options: ModelOptions = {}): CpuModel {
  return createModel('pentium-m', options)
}

function msrsOf(
  family: number,
  features: ReadonlySet<ModelFeature>,
  physicalBits: number,
  bootstrap: boolean,
  microcode: number,
): MsrTable {
  if (family < 5) return new Map()
  if (family === 5) return pentiumMsrs
  const [apic, mtrr, pat, sep, nx, mca] = (['apic', 'mtrr', 'pat', 'sep', 'nx', 'mca'] as const).map((feature) =>
    features.has(feature),
  )
  return p6Msrs({
    physicalBits,
    bootstrap,
    apic: apic!,
    mtrr: mtrr!,
    pat: pat!,
    sep: sep!,
    nx: nx!,
    mca: mca!,
    microcode,
  })
}

/** VMX of a model that has it. @throws VmexitError `cpu-model` for parts of a VMX that is not there. */
function vmxOf(
  name: ModelName,
  options: ModelOptions,
  features: ReadonlySet<ModelFeature>,
  physicalAddressBits: number,
): VmxCapabilities | undefined {
  if (features.has('vmx')) {
    const { family } = MODELS[name]
    return vmxCapabilities({
      features: vmxFeatures(options.vmx),
      cr4Mask: cr4Mask(family, features),
      physicalAddressBits,
      pat: features.has('pat'),
      nx: features.has('nx'),
    })
  }
  if (options.vmx === undefined) return undefined
  throw new VmexitError('cpu-model', {
    problem: `CPU model ${name} is told what its VMX has, and has no VMX`,
    remedy: "switch it on with features: { vmx: true }, or leave the option 'vmx' out",
  })
}

function decoderFeatures(family: number, features: ReadonlySet<ModelFeature>): readonly Feature[] {
  const known: Feature[] = ['386', 'ud', ...DECODED.filter((feature) => features.has(feature))]
  if (family >= 4) known.push('486')
  if (family >= 5) known.push('pentium')
  if (family >= 6) known.push('nopl', 'pause')
  return known
}

function cr0Mask(family: number): number {
  const mask = Cr0.PE | Cr0.MP | Cr0.EM | Cr0.TS | Cr0.ET | Cr0.PG
  return family < 4 ? mask : mask | Cr0.NE | Cr0.WP | Cr0.AM | Cr0.NW | Cr0.CD
}

/** CR4 has one bit that no CPUID feature stands for: PCE, of the P6 family. */
function cr4Mask(family: number, features: ReadonlySet<ModelFeature>): number {
  if (family < 5) return 0
  let mask = family === 6 ? Cr4.PCE : 0
  for (const feature of features) mask |= CR4_BITS[feature] ?? 0
  return mask
}

function flagsMask(family: number, features: ReadonlySet<ModelFeature>): number {
  let mask = Flag.TF | Flag.IF | Flag.DF | Flag.IOPL | Flag.NT
  if (family >= 4) mask |= Flag.AC
  if (family >= 5) mask |= Flag.ID
  if (features.has('vme')) mask |= Flag.VIF | Flag.VIP
  return mask
}

/** Four characters to a register, the first in the low byte. */
function registerOf(text: string, at: number): number {
  let value = 0
  for (let i = 0; i < 4; i++) value |= (text.charCodeAt(at + i) || 0) << (8 * i)
  return value
}

const VENDOR = 'GenuineIntel'

/** CPUID (SDM vol. 2). A leaf above the highest basic one reads as that one. */
class CpuidLeaves {
  readonly #data: ModelData
  readonly #features: ReadonlySet<ModelFeature>
  readonly #brand: string
  readonly #apicId: number
  readonly #physicalBits: number

  constructor(
    data: ModelData,
    features: ReadonlySet<ModelFeature>,
    brand: string,
    apicId: number,
    physicalBits: number,
  ) {
    this.#data = data
    this.#features = features
    this.#brand = brand
    this.#apicId = apicId
    this.#physicalBits = physicalBits
  }

  read(core: Core, leaf: number, out: Int32Array): void {
    out.fill(0)
    const highest = this.#data.caches ? 2 : 1
    const extended = leaf >= 0x8000_0000 && leaf <= 0x8000_0008 && this.#brand !== ''
    if (extended) this.#extended(core, leaf & 0xf, out)
    else this.#basic(core, Math.min(leaf, highest), highest, out)
  }

  #basic(core: Core, leaf: number, highest: number, out: Int32Array): void {
    if (leaf === 0) out.set([highest, registerOf(VENDOR, 0), registerOf(VENDOR, 8), registerOf(VENDOR, 4)])
    else if (leaf === 1) {
      const line = this.#features.has('clfsh') ? 8 << 8 : 0
      const ecx = this.#features.has('vmx') ? ECX_VMX : 0
      out.set([this.#data.signature, (this.#apicId << 24) | line, ecx, this.#featureBits(core)])
    } else out.set(this.#data.caches!)
  }

  #featureBits(core: Core): number {
    let bits = 0
    for (const [feature, bit] of Object.entries(FEATURE_BITS))
      if (this.#features.has(feature as ModelFeature)) bits |= 1 << bit
    // An APIC that is switched off is not there.
    const base = core.msrs.other.get(MSR.apicBase)
    return base !== undefined && (base & 0x800n) === 0n ? bits & ~(1 << FEATURE_BITS.apic) : bits
  }

  #extended(core: Core, leaf: number, out: Int32Array): void {
    if (leaf === 0) out[0] = 0x8000_0008
    else if (leaf === 1) {
      const disabled = ((core.msrs.other.get(MSR.miscEnable) ?? 0n) & XD_DISABLE) !== 0n
      out[3] = this.#features.has('nx') && !disabled ? 1 << 20 : 0
    } else if (leaf <= 4) for (let i = 0; i < 4; i++) out[i] = registerOf(this.#brand, (leaf - 2) * 16 + i * 4)
    else if (leaf === 6) out[2] = 0x0800_6040
    else if (leaf === 8) out[0] = (32 << 8) | this.#physicalBits
  }
}
