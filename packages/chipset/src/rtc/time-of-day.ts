/**
 * The time registers of an MC146818: bytes in BCD or binary, in 12 or 24 hours. They are kept as the guest reads and
 * writes them; what they mean depends on register B at the moment they are used.
 */
import { type Day, daysInMonth } from './calendar.ts'

/** Indices of the time and alarm registers. */
export const register = {
  seconds: 0,
  secondsAlarm: 1,
  minutes: 2,
  minutesAlarm: 3,
  hours: 4,
  hoursAlarm: 5,
  weekday: 6,
  day: 7,
  month: 8,
  year: 9,
  century: 0x32,
} as const

/** Bits of register B that say how times are written. */
const binary = 0x04
const hours24 = 0x02

/** A time of day, or an alarm; undefined is “any”. */
export interface AlarmTime {
  readonly hour: number | undefined
  readonly minute: number | undefined
  readonly second: number | undefined
}

/** A number as register B has it written. */
function encode(value: number, b: number): number {
  return b & binary ? value : (Math.trunc(value / 10) << 4) | (value % 10)
}

function decode(byte: number, b: number): number {
  return b & binary ? byte : (byte >> 4) * 10 + (byte & 15)
}

function encodeHour(hour: number, b: number): number {
  if (b & hours24) return encode(hour, b)
  return encode(hour % 12 || 12, b) | (hour >= 12 ? 0x80 : 0)
}

function decodeHour(byte: number, b: number): number {
  return b & hours24 ? decode(byte, b) : (decode(byte & 0x7f, b) % 12) + (byte & 0x80 ? 12 : 0)
}

/** Seconds since midnight. */
export function secondOfDay(cells: Uint8Array, b: number): number {
  const hour = decodeHour(cells[register.hours]!, b)
  return hour * 3600 + decode(cells[register.minutes]!, b) * 60 + decode(cells[register.seconds]!, b)
}

/** Sets the time of day. */
export function setTime(cells: Uint8Array, b: number, second: number): void {
  cells[register.seconds] = encode(second % 60, b)
  cells[register.minutes] = encode(Math.trunc(second / 60) % 60, b)
  cells[register.hours] = encodeHour(Math.trunc(second / 3600) % 24, b)
}

/** Sets the date. */
export function setDay(cells: Uint8Array, b: number, { year, month, day, weekday }: Day): void {
  cells[register.weekday] = encode(weekday, b)
  cells[register.day] = encode(day, b)
  cells[register.month] = encode(month, b)
  cells[register.year] = encode(year % 100, b)
  cells[register.century] = encode(Math.trunc(year / 100) % 100, b)
}

/** Goes on to the next day. */
export function nextDay(cells: Uint8Array, b: number): void {
  const at = (index: number) => decode(cells[index]!, b)
  const put = (index: number, value: number) => {
    cells[index] = encode(value, b)
  }
  put(register.weekday, (at(register.weekday) % 7) + 1)
  if (at(register.day) < daysInMonth(at(register.month), at(register.year))) {
    put(register.day, at(register.day) + 1)
    return
  }
  put(register.day, 1)
  if (at(register.month) < 12) {
    put(register.month, at(register.month) + 1)
    return
  }
  put(register.month, 1)
  if (at(register.year) === 99) put(register.century, (at(register.century) + 1) % 100)
  put(register.year, (at(register.year) + 1) % 100)
}

/** The alarm registers; 0xc0–0xff stand for any value. */
export function alarmTime(cells: Uint8Array, b: number): AlarmTime {
  const any = (index: number) => cells[index]! >= 0xc0
  const [h, m, s] = [register.hoursAlarm, register.minutesAlarm, register.secondsAlarm]
  return {
    hour: any(h) ? undefined : decodeHour(cells[h]!, b),
    minute: any(m) ? undefined : decode(cells[m]!, b),
    second: any(s) ? undefined : decode(cells[s]!, b),
  }
}

/** Seconds from `now` (a second of the day) until the alarm next matches, 1–86,400; Infinity if it never does. */
export function secondsToAlarm(now: number, { hour, minute, second }: AlarmTime): number {
  const day = 86_400
  for (let time = now + 1; time <= now + day; ) {
    const [h, m, s] = [Math.trunc(time / 3600) % 24, Math.trunc(time / 60) % 60, time % 60]
    if (hour !== undefined && h !== hour) time += 3600 - (time % 3600)
    else if (minute !== undefined && m !== minute) time += 60 - s
    else if (second !== undefined && s !== second) time++
    else return time - now
  }
  return Number.POSITIVE_INFINITY
}
