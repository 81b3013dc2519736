/** The lease on the open application: it counts down, and whoever is at work keeps it. */
import type { Review } from '@shared/api/review'
import { Problem } from '@shared/problem'
import { computed, onScopeDispose, ref, type ShallowRef } from 'vue'
import * as api from '../api'
import { renewAhead } from './ahead'

/** Somebody who moves the mouse or types is still at it: the claim is renewed this often, or sooner if it is short. */
const RENEW_EVERY_MS = 60_000
const RENEW_AT_SHARE = 1 / 3
/** From here on the page says that it is about to end. */
export const SHORT_MS = 120_000

const SIGNS = ['pointermove', 'pointerdown', 'keydown', 'wheel'] as const

export function useLease(review: ShallowRef<Review | null>, isLost: () => void) {
  const now = ref(Date.now())
  /** It was this person's at some time since the page was opened. */
  const held = ref(false)
  let renewedAt = Date.now()
  let renewAfterMs = RENEW_EVERY_MS

  const leftMs = computed(() => {
    const until = review.value?.claimed_by_me ? review.value.claimed_until : null
    return until === null ? 0 : Math.max(0, Date.parse(until) - now.value)
  })
  const mine = computed(() => leftMs.value > 0)

  function isRenewed(): void {
    renewedAt = now.value = Date.now()
    renewAfterMs = Math.min(RENEW_EVERY_MS, leftMs.value * RENEW_AT_SHARE)
    if (review.value?.claimed_by_me) held.value = true
  }

  async function renew(): Promise<void> {
    const open = review.value
    if (!mine.value || open === null || Date.now() - renewedAt < renewAfterMs) return
    renewedAt = Date.now()
    try {
      const { claimed_until, revision } = await api.claim(open.application_no)
      // The claim is on what was handed in since: what the page shows is not it.
      if (revision !== open.revision) return isLost()
      if (review.value) review.value = { ...review.value, claimed_until }
      void renewAhead()
    } catch (error) {
      // Where the network is down the clock on the page goes on; a refusal means that it is out of date.
      if (error instanceof Problem && error.status === 409) isLost()
    }
  }

  const clock = window.setInterval(() => (now.value = Date.now()), 1_000)
  const active = () => void renew()
  for (const sign of SIGNS) window.addEventListener(sign, active, { passive: true })
  onScopeDispose(() => {
    clearInterval(clock)
    for (const sign of SIGNS) window.removeEventListener(sign, active)
  })

  return { leftMs, mine, held, isRenewed }
}
