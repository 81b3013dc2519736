/** Words that were typed but not saved: they outlive a reload of this tab, the end of a claim and of a session. */
import { reactive, watch } from 'vue'

export interface Draft {
  reason: string
  words: string
  images: string[]
  /** The candidate may hand in the same images again. */
  sameImages: boolean
}

const KEPT_AS = 'baoshen-draft:'

export type Drafts = ReturnType<typeof useDrafts>

function read(at: string): Record<string, Draft> {
  try {
    return JSON.parse(sessionStorage.getItem(at) ?? '{}') as Record<string, Draft>
  } catch {
    return {} // storage may be forbidden
  }
}

function write(at: string, drafts: ReadonlyMap<string, Draft>): void {
  try {
    if (drafts.size === 0) sessionStorage.removeItem(at)
    else sessionStorage.setItem(at, JSON.stringify(Object.fromEntries(drafts)))
  } catch {
    // then they last as long as the page
  }
}

/** Removes what was typed here; of everybody but one person, where they are named. */
export function forgetDrafts(but: string | null = null): void {
  try {
    for (const key of Object.keys(sessionStorage)) {
      if (!key.startsWith(KEPT_AS)) continue
      if (but === null || !key.startsWith(`${KEPT_AS}${but}:`)) sessionStorage.removeItem(key)
    }
  } catch {
    // then there are none
  }
}

/** One person's drafts on one application, by item; a word about the whole stands under its act. */
export function useDrafts(staffId: string, applicationNo: string) {
  const at = `${KEPT_AS}${staffId}:${applicationNo}`
  forgetDrafts(staffId)
  const drafts = reactive(new Map<string, Draft>(Object.entries(read(at))))
  watch(drafts, () => write(at, drafts), { deep: true, flush: 'sync' })
  return drafts
}
