/** A repository of the host's git in a temporary directory, and its smart HTTP protocol without a network. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HttpClient } from 'isomorphic-git'

/** Whether this machine has git. */
export const hasGit: boolean = spawnSync('git', ['--version']).status === 0

// biome-ignore format: a table
const environment = {
  PATH: process.env.PATH, HOME: '/nonexistent', LC_ALL: 'C', GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@example.org', GIT_AUTHOR_DATE: '1700000000 +0000',
  GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@example.org', GIT_COMMITTER_DATE: '1700000000 +0000',
}

/** A repository with two commits: 300 files, of which one is executable, one a symbolic link and one large. */
export class GitRepository implements Disposable {
  /** The directory that it and its neighbours are in. */
  readonly folder: string = mkdtempSync(join(tmpdir(), 'vmexit-git-'))
  readonly path: string = join(this.folder, 'repository')

  constructor() {
    mkdirSync(join(this.path, 'src/deep/er'), { recursive: true })
    this.git('init', '--quiet', '--initial-branch=main', '.')
    for (let i = 0; i < 297; i++) {
      writeFileSync(join(this.path, ['src', 'src/deep', 'src/deep/er'][i % 3]!, `file-${i}.txt`), `${i}\n`.repeat(i))
    }
    writeFileSync(join(this.path, 'run.sh'), '#!/bin/sh\n')
    chmodSync(join(this.path, 'run.sh'), 0o755)
    symlinkSync('src/deep', join(this.path, 'link'))
    writeFileSync(
      join(this.path, 'large.bin'),
      Uint8Array.from({ length: 500_000 }, (_, i) => (i * 2654435761) >>> 24),
    )
    this.#commit('first')
    writeFileSync(join(this.path, 'src/file-3.txt'), 'changed\n')
    this.#commit('second')
  }

  /** Runs git in a directory, the repository's own unless stated; answers what it prints. */
  git(...given: string[]): string {
    return execFileSync('git', given, { cwd: this.path, env: environment, encoding: 'utf8', stdio: 'pipe' })
  }

  /** What isomorphic-git takes for HTTP: answers come from `git upload-pack`. */
  get http(): HttpClient {
    return {
      request: async ({ url, method = 'GET', headers = {}, body }) => {
        const parts: Uint8Array[] = []
        for await (const part of body ?? []) parts.push(part)
        const advertise = url.includes('/info/refs')
        const { stdout, status, stderr } = spawnSync(
          'git',
          ['upload-pack', '--stateless-rpc', ...(advertise ? ['--advertise-refs'] : []), this.path],
          {
            env: { ...environment, GIT_PROTOCOL: headers['Git-Protocol'] ?? headers['git-protocol'] },
            input: Buffer.concat(parts),
            maxBuffer: 1 << 28,
          },
        )
        if (status !== 0) throw new Error(`${stderr}`)
        const service = advertise ? [Buffer.from('001e# service=git-upload-pack\n0000'), stdout] : [stdout]
        const kind = advertise ? 'advertisement' : 'result'
        return {
          ...{ url, method, statusCode: 200, statusMessage: 'OK' },
          headers: { 'content-type': `application/x-git-upload-pack-${kind}` },
          body: (async function* () {
            yield* service
          })(),
        }
      },
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }

  #commit(message: string): void {
    this.git('add', '--all')
    this.git('commit', '--quiet', '--message', message)
  }
}
