/**
 * Names of images, by Docker's rules (the reference grammar of the Distribution project, and its normalized form): `debian` is
 * `docker.io/library/debian:latest`.
 */
import { type Digest, isDigest } from './digest.ts'
import { ImageError, quoted } from './errors.ts'

/** Where an image is: a registry, a repository in it, and a tag, a digest or both. */
export interface Reference {
  /** With its port, if it has one. */
  readonly registry: string
  /** As in the registry: `library/debian`. */
  readonly repository: string
  readonly tag?: string | undefined
  readonly digest?: Digest | undefined
}

const HUB = 'docker.io'
const ALIAS = 'index.docker.io'
const OFFICIAL = 'library/'
/** The most characters of a name, without tag and digest. */
const LONGEST_NAME = 255
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?'
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`)
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const TAG = /^\w[\w.-]{0,127}$/

/** Reads a name. Without tag and digest the tag is `latest`. @throws ImageError `image-reference`. */
export function parseReference(text: string): Reference {
  const bad = (why: string, remedy = 'names are as in registry.example:5000/team/app:1.2'): ImageError =>
    new ImageError('image-reference', `${quoted(text)} is no name of an image: ${why}`, remedy)
  if (text === '') throw bad('it is empty')
  if (text.length > 1024) throw bad('it is too long')
  if (/^[0-9a-f]{64}$/.test(text)) throw bad('64 hexadecimal digits are an ID', `for a digest say NAME@sha256:${text}`)
  const at = text.indexOf('@')
  const digest = at < 0 ? undefined : text.slice(at + 1)
  if (digest !== undefined && !isDigest(digest)) throw bad('what follows @ is no digest')
  const named = at < 0 ? text : text.slice(0, at)
  const slash = named.lastIndexOf('/')
  const colon = named.indexOf(':', slash + 1)
  const tag = colon < 0 ? undefined : named.slice(colon + 1)
  if (tag !== undefined && !TAG.test(tag)) throw bad(`${quoted(tag)} is no tag`)
  const { registry, repository } = split(colon < 0 ? named : named.slice(0, colon))
  if (!DOMAIN.test(registry)) throw bad(`${quoted(registry)} is no registry`)
  if (repository !== repository.toLowerCase())
    throw bad('repositories are in lower case', `say ${quoted(text.toLowerCase())}`)
  const wrong = repository.split('/').find((part) => !COMPONENT.test(part))
  if (wrong !== undefined) throw bad(`${quoted(wrong)} is no part of one`)
  if (registry.length + 1 + repository.length > LONGEST_NAME) throw bad(`it has more than ${LONGEST_NAME} characters`)
  return {
    registry,
    repository,
    ...(tag === undefined && digest === undefined ? { tag: 'latest' } : tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  }
}

/** A first part is a registry if it looks like a host: with a dot, a port, a capital, or as `localhost`. */
function split(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const isHost = first !== '' && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase())
  const registry = !isHost || first === ALIAS ? HUB : first
  const rest = isHost ? name.slice(slash + 1) : name
  return { registry, repository: registry === HUB && !rest.includes('/') ? `${OFFICIAL}${rest}` : rest }
}

/** The whole name: `docker.io/library/debian:latest`. The same image has one. */
export function canonicalName({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/** As people say it: `debian:latest`. */
export function familiarName(reference: Reference): string {
  const name = canonicalName(reference)
  if (!name.startsWith(`${HUB}/`)) return name
  const rest = name.slice(HUB.length + 1)
  return rest.startsWith(OFFICIAL) && !rest.slice(OFFICIAL.length).includes('/') ? rest.slice(OFFICIAL.length) : rest
}

/** The repository as people say it: `debian`. */
export function familiarRepository({ registry, repository }: Reference): string {
  return familiarName({ registry, repository })
}
