/** Times as people here read them: Beijing time, wherever the reader is. */
const parts = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Asia/Shanghai',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

/** `2026-03-14 22:02:08`, Beijing time. */
export function beijing(iso: string): string {
  const p = Object.fromEntries(parts.formatToParts(new Date(iso)).map(({ type, value }) => [type, value]))
  return `${p['year']}-${p['month']}-${p['day']} ${p['hour']}:${p['minute']}:${p['second']}`
}

/** `2026-03-14 22:02`: where seconds only distract. */
export function beijingMinute(iso: string): string {
  return beijing(iso).slice(0, 16)
}
