/**
 * What may lead out of a network of containers, and into it: nothing, unless it is given. `@vmexit/container/node` has what does that
 * by sockets of the host, and `@vmexit/container/web` by what a browser has.
 */
import type { Account, AllowRule, Ipv4, NetStack } from '@vmexit/net'

/** A port of the host that leads to a container. */
export interface Publication {
  /** TCP unless stated. */
  readonly protocol?: 'tcp' | 'udp'
  /** The host's address it listens at; 127.0.0.1 unless stated. */
  readonly hostAddress?: string
  /** 0, or not stated, for one that is free. */
  readonly hostPort?: number
  /** The container's port. */
  readonly port: number
}

/** A port that has been published, with all that was chosen. */
export type PublishedPort = Required<Publication>

/** Something a container tried and was not allowed. */
export interface NetworkDenial {
  readonly protocol: 'tcp' | 'udp' | 'dns'
  /** An address, or a name. */
  readonly host: string
  readonly port: number
  /** The name of the container. */
  readonly container: string
}

/** Where an outside is opened. */
export interface OutsideOptions {
  /** The gateway's stack, at which packets for others arrive. */
  readonly stack: NetStack
  /** The gateway's address. */
  readonly address: Ipv4
  readonly network: { readonly address: Ipv4; readonly prefix: number }
  /** The name of the container that has an address. */
  nameOf(address: Ipv4): string
  /** Something has come in: the kernel should run. */
  wake(): void
}

/** What a container has of it. */
export interface OutsideOfContainer {
  /** What it may reach; empty for nothing. */
  readonly rules: readonly AllowRule[]
  /** Pays for the buffers of its connections. */
  readonly account: Account
}

/** What is outside of a network. */
export interface Outside extends AsyncDisposable {
  /** A container may reach what its rules allow, from now on. */
  admit(container: Ipv4, of: OutsideOfContainer): void
  /** Closes all that a container has open and published. */
  dismiss(container: Ipv4): Promise<void>
  /** @throws VmexitError where the port cannot be had. */
  publish(container: Ipv4, publication: Publication): Promise<PublishedPort>
  /** The addresses of a name, as far as its rules allow to ask; `refused` where they do not, undefined where there are none. */
  lookup(container: Ipv4, name: string): Promise<readonly Ipv4[] | 'refused' | undefined>
}

/** Opens it for a network. */
export type OpenOutside = (options: OutsideOptions) => Outside
