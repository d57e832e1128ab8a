/** The default filter against a list of others', and as a busybox meets it. */
import { existsSync, readFileSync } from 'node:fs'
import { Cap, callNumbers, capabilitySet, compileSeccomp, i386 } from '@vmexit/linux'
import { describe, expect, it, test } from 'vitest'
import { isBusyboxThere, WHY_NOT } from '../test/busybox-image.ts'
import { shell } from '../test/run.ts'
import { capabilitiesOf } from './capabilities.ts'
import { defaultSeccomp } from './seccomp.ts'

const numbers = callNumbers(i386)
const DEFAULT = capabilitiesOf()
/** That of podman, as Debian's golang-github-containers-common has it. */
const THEIRS = '/usr/share/containers/seccomp.json'

/** Calls that a profile allows whatever their arguments are. */
function allowed({ syscalls = [] }: ReturnType<typeof defaultSeccomp>): Set<string> {
  return new Set(
    syscalls.flatMap(({ names, action, args = [] }) => (action === 'SCMP_ACT_ALLOW' && args.length === 0 ? names : [])),
  )
}

test('every call that there is gets an answer, and the filter is one', () => {
  const profile = defaultSeccomp(DEFAULT)
  const named = new Set(profile.syscalls?.flatMap(({ names }) => names))
  expect([...numbers.keys()].filter((name) => !named.has(name))).toEqual([])
  expect(compileSeccomp(profile, (name) => numbers.get(name)).length).toBeLessThan(1000)
})

test('a capability brings the calls that it is for', () => {
  const all = allowed(defaultSeccomp(capabilitySet(Object.values(Cap))))
  const few = allowed(defaultSeccomp(DEFAULT))
  for (const name of ['mount', 'unshare', 'setns', 'reboot', 'clone', 'clone3', 'stime']) {
    if (!numbers.has(name)) continue
    expect([name, few.has(name), all.has(name)]).toEqual([name, false, true])
  }
  expect([few.has('chroot'), allowed(defaultSeccomp(0n)).has('chroot')]).toEqual([true, false])
  for (const name of ['keyctl', 'pivot_root', 'swapon', 'userfaultfd']) expect(all.has(name)).toBe(false)
})

describe.skipIf(!existsSync(THEIRS))(
  `beside podman's${existsSync(THEIRS) ? '' : ' (skipped: golang-github-containers-common is not installed)'}`,
  () => {
    interface Rule {
      readonly names: readonly string[]
      readonly action: string
      readonly args?: readonly unknown[] | null
      readonly includes?: { readonly caps?: readonly string[]; readonly arches?: readonly string[] }
      readonly excludes?: { readonly caps?: readonly string[] }
    }

    test('nothing is allowed that is not allowed there', () => {
      const { syscalls } = JSON.parse(readFileSync(THEIRS, 'utf8')) as { syscalls: readonly Rule[] }
      const theirs = new Set(
        syscalls
          .filter(({ action, includes }) => action === 'SCMP_ACT_ALLOW' && (includes?.caps ?? []).length === 0)
          .flatMap(({ names }) => names),
      )
      // `chroot` is Docker's to who has the capability, which containers have; `vmsplice` is Docker's, the others are newer than podman's list.
      const newer = new Set([
        'chroot',
        'vmsplice',
        'futex_waitv',
        'landlock_create_ruleset',
        'landlock_add_rule',
        'landlock_restrict_self',
      ])
      const ours = [...allowed(defaultSeccomp(DEFAULT))]
      expect(ours.filter((name) => !theirs.has(name) && !newer.has(name))).toEqual([])
      const missing = [...theirs].filter((name) => numbers.has(name) && !ours.includes(name))
      // Those that are partly allowed, and those that podman allows beyond Docker.
      expect(missing.sort()).toMatchInlineSnapshot(`
        [
          "clone",
          "clone3",
          "mbind",
          "mount",
          "open_tree",
          "personality",
          "pidfd_getfd",
          "pivot_root",
          "reboot",
          "setns",
          "socket",
          "syslog",
          "umount",
          "umount2",
          "unshare",
        ]
      `)
    })
  },
)

describe.skipIf(!isBusyboxThere)(`in a container${isBusyboxThere ? '' : WHY_NOT}`, () => {
  it('what a shell needs goes on, what leads out does not, and a capability brings it back', async () => {
    const script = 'ls / | sort | head -2; (echo a | cat); mount -t tmpfs t /tmp; unshare -u hostname x; echo end'
    const seccomp = defaultSeccomp(DEFAULT)
    const ran = await shell(script, { seccomp })
    expect(ran).toMatchObject({ output: 'bin\ndev\na\nend\n', exitCode: 0 })
    expect(ran.errors).toMatch(/mount: permission denied[\s\S]*unshare.*not permitted/i)
    const capAdd = ['SYS_ADMIN']
    const more = await shell(script, { capAdd, seccomp: defaultSeccomp(capabilitiesOf([], capAdd)) })
    expect(more.errors).toBe('')
  }, 60_000)
})
