/** Nested paging: extended page tables behind a guest's own. */
export { ExtendedTables } from './ept.ts'
export { type NestedPaging, type NestedPagingNeeds, type NestedPagingOptions, nestedPaging } from './part.ts'
