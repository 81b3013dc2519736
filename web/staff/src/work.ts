/** Where a reviewer's applications come from: the list and filters that they went out from, and when the next was asked. */
import type { WaitingName } from '@shared/api/review'
import { reactive } from 'vue'
import type { Filters } from './shapes'

/** The queue page writes it; `state` is null while one goes through applications that do not wait for anybody. */
export const work = reactive<{ state: WaitingName | null; filters: Filters }>({ state: 'waiting', filters: {} })

let askedAt: number | null = null

/** Somebody asks for an application: from here on it is measured how long it takes until it can be looked at. */
export function asksForOne(): void {
  askedAt = performance.now()
  performance.mark('review-asked')
}

/** It was refused, or there is none. */
export function asksNoMore(): void {
  askedAt = null
}

/** When the present one was asked for; now, if nobody said so. */
export function takeAsked(): number {
  const at = askedAt ?? performance.now()
  askedAt = null
  return at
}
