import type { CandidateSession } from '@shared/api/upload'
import { makeSession } from '@shared/session'
import { watch } from 'vue'

export const session = makeSession<CandidateSession>('/candidate/session', (mine) => mine.application_no)

/** Finds the browser's session; the code of what most likely follows comes at the same time. */
export async function begin(): Promise<void> {
  void (wasInside() ? import('./pages/InsidePage.vue') : import('./pages/LoginPage.vue')).catch(() => undefined)
  await session.find()
}

/** A hint only: the session itself is in a cookie that scripts can't see. */
const KEPT_AS = 'baoshen-inside'

function wasInside(): boolean {
  try {
    return localStorage.getItem(KEPT_AS) !== null
  } catch {
    return false // storage may be forbidden
  }
}

watch([session.known, session.current], ([known, current]) => {
  if (!known) return
  try {
    if (current !== null) localStorage.setItem(KEPT_AS, '1')
    else localStorage.removeItem(KEPT_AS)
  } catch {
    // then the code comes a little later next time
  }
})
