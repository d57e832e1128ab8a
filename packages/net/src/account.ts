/** Who pays for the memory of a socket's buffers: a control group, for instance. */
export interface Account {
  /** False where there is no room: what was to be kept is dropped, or is not taken from the program. */
  charge(bytes: number): boolean
  release(bytes: number): void
}
