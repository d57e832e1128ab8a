/** What a container may reach, from what a person writes: servers, as a page names them. */
import type { ContainerOptions } from '@vmexit/container'
import { failure } from '../problem.ts'

/** A rule of what a container may reach. */
export type ServerRule = NonNullable<ContainerOptions['egress']>[number]

/**
 * Rules for servers such as `deb.debian.org`, `https://*.debian.org`, `http://127.0.0.1:3000`; by HTTPS unless stated. Programs speak plain
 * HTTP to them, at port 80 where the server has the usual one. Throws a `VmexitError` for anything else.
 */
export function rulesOf(servers: string): ServerRule[] {
  return servers
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((server) => {
      const url = URL.parse(server.includes('://') ? server : `https://${server}`)
      const by = url?.protocol === 'https:' ? 'https' : url?.protocol === 'http:' ? 'http' : undefined
      if (url === null || by === undefined || url.pathname !== '/' || url.search !== '' || url.username !== '')
        throw failure(`${server} is no server`, 'name one as in deb.debian.org or http://127.0.0.1:3000')
      if (/(^|\.)localhost$/.test(url.hostname))
        throw failure(
          `${server} is this machine, and has no name in a container`,
          'write 127.0.0.1, which is at the gateway inside',
        )
      return { host: url.hostname, ports: Number(url.port || 80), by }
    })
}
