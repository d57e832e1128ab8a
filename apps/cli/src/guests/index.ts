export { defaultDirectory, findGuests, type GuestPaths, rootOfGuest } from './cache.ts'
export { guestsCommand } from './command.ts'
export { guestNames } from './recipes.ts'
