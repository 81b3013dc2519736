/** What the queue page is open at: it stays while an application is looked at. */
import type { QueueName, QueueRow, WaitingName } from '@shared/api/review'
import { reactive } from 'vue'
import * as api from './api'
import { usePages } from './pages'
import { WAITING } from './places'
import type { Filters } from './shapes'
import { work } from './work'

const HOUR_MS = 3_600_000

export interface Narrowing {
  site: string
  category: string
  education: string
  finding: string
  /** For how many hours it has waited at least. */
  hours: number | ''
}

export const narrowing = reactive<Narrowing>({ site: '', category: '', education: '', finding: '', hours: '' })

export function isNarrowed(): boolean {
  return Object.values(narrowing).some((value) => value !== '')
}

export function widen(): void {
  Object.assign(narrowing, { site: '', category: '', education: '', finding: '', hours: '' } satisfies Narrowing)
}

export function filters(): Filters {
  const asked: Filters = {}
  for (const name of ['site', 'category', 'education', 'finding'] as const) {
    if (narrowing[name]) asked[name] = narrowing[name]
  }
  if (narrowing.hours !== '') asked.waiting_since = new Date(Date.now() - narrowing.hours * HOUR_MS).toISOString()
  return asked
}

export function isWaiting(list: QueueName): list is WaitingName {
  return WAITING.includes(list)
}

/** Where "next" goes on from, once one has left the list for an application. `list` is null after a search. */
export function leaveFor(list: QueueName | null): void {
  const waits = list === 'mine' ? 'waiting' : list
  work.state = waits !== null && isWaiting(waits) ? waits : null
  work.filters = filters()
}

/** The list that is open, as it is narrowed. */
export function useRows(list: () => QueueName) {
  return usePages<QueueRow>(() => {
    const open = list()
    const asked = filters()
    return (cursor) => api.readQueue(open, asked, cursor)
  })
}
