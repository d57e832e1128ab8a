/** Figures as people read them. */

/** Digits in groups of three. */
export const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
/** Without digits behind the point; of what is very large thousands. */
export const whole = (value: number): string =>
  value < 1_000_000 ? grouped(String(Math.round(value))) : `${grouped(String(Math.round(value / 1000)))}k`
/** Two digits behind the point while they say something. */
export const amount = (value: number): string => {
  const rounded = Math.round(value * 100) / 100
  if (rounded === 0) return '·'
  return Number.isInteger(rounded) ? whole(rounded) : rounded < 1000 ? rounded.toFixed(2) : whole(rounded)
}
/** A ratio, in three digits or so. */
export const times = (ratio: number): string =>
  `×${ratio < 10 ? ratio.toFixed(2) : ratio < 100 ? ratio.toFixed(1) : whole(ratio)}`

/** Whether there is anything to see at two digits. */
export const visible = (value: number | undefined): boolean => Math.round((value ?? 0) * 100) !== 0
