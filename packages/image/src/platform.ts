/** Platforms: what an image was made for (OCI image specification, "Image Index", `platform`). */
import { ImageError, quoted } from './errors.ts'

/** An operating system and an architecture in Go's words, and a variant of it. */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string | undefined
}

/** What runs here: 32-bit x86. */
export const LINUX_386: Platform = { os: 'linux', architecture: '386' }

/** `linux/arm/v7` as a platform. @throws ImageError `image-platform`. */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...more] = text.split('/')
  const isGood = [os, architecture, variant ?? 'v'].every((part) => part !== undefined && /^[a-z0-9_.-]+$/i.test(part))
  if (!isGood || more.length > 0)
    throw new ImageError('image-platform', `${quoted(text)} is no platform`, 'say for instance linux/386')
  return { os: os!, architecture: architecture!, ...(variant === undefined ? {} : { variant }) }
}

/** As `linux/386`. */
export function platformName({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join('/')
}

/** Whether something for `offered` is right where `wanted` is asked for, which may leave the variant open. */
export function suits(offered: Platform, wanted: Platform): boolean {
  return (
    offered.os === wanted.os &&
    offered.architecture === wanted.architecture &&
    (wanted.variant === undefined || offered.variant === wanted.variant)
  )
}
