/** What the server offers to boot: the document at `/guests.json`, which the server writes and the page reads. */

/** A file of a guest, as the server has it. */
export interface OfferedFile {
  /** What people call it, such as `vmlinuz`. */
  readonly name: string
  /** Where it is, relative to the page. */
  readonly url: string
  readonly bytes: number
}

/** Files of a guest by what they are for: either a kernel, or a BIOS and a drive to boot from. */
export type OfferedFiles<File = OfferedFile> =
  | { readonly kernel: File; readonly initrd?: File }
  | { readonly bios: File; readonly vgaBios?: File; readonly disk?: File; readonly cd?: File }

/** A guest that can be booted. */
export interface OfferedGuest {
  readonly name: string
  readonly title: string
  /** The kernel's command line, unless the user has another. */
  readonly append?: string
  readonly files: OfferedFiles
}

/** Files for a container, under a name of their own. */
export interface OfferedImage {
  readonly name: string
  readonly title: string
  readonly file: OfferedFile
}

/** All of them, and where they were looked for. A page without a server has none. */
export interface Offer {
  readonly guests: readonly OfferedGuest[]
  readonly images: readonly OfferedImage[]
  /** The folder on the server. */
  readonly folder: string
  /** The command that fetches guests into it. */
  readonly remedy: string
}
