/** The segments that the runner sets for FS and GS. */
export const FS_BASE = 0x7000
/** In 32- and 16-bit code. */
export const FS_LIMIT = 0x1fff
export const GS_BASE_64 = 0x1234_5000
export const GS_BASE_32 = 0x8000
/** GS is expand-down in 32- and 16-bit code: offsets beyond it are within the limit. */
export const GS_LIMIT_32 = 0xff
