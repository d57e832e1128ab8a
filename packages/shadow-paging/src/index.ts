/** Shadow paging: tables that the hardware walks in place of the guest's. */
export { type ShadowPaging, type ShadowPagingNeeds, shadowPaging } from './part.ts'
export { type ShadowCounts, ShadowMmu, type ShadowParts } from './shadow-mmu.ts'
