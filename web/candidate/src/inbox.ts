/** The candidate's messages, and how many are unread. */
import type { Notice } from '@shared/api/notify'
import { asProblem, type Problem } from '@shared/problem'
import { ref, shallowRef, watch, type Ref } from 'vue'
import * as api from './api'
import { useEvery } from './every'

const CALM_MS = 20_000
/** A message follows what it tells of after a moment. */
const EXPECTING_MS = 1_500
const EXPECTED_FOR_MS = 15_000

export type Inbox = ReturnType<typeof useInbox>

/** `happened` changes whenever something happened that a message may follow. */
export function useInbox(happened: Ref<number>) {
  const notices = shallowRef<Notice[]>([])
  const unread = ref(0)
  const next = ref<string | null>(null)
  const problem = ref<Problem | null>(null)
  const known = ref(false)

  let expectedUntil = 0

  const { soon } = useEvery(refresh, () => (Date.now() < expectedUntil ? EXPECTING_MS : CALM_MS))
  watch(happened, () => {
    expectedUntil = Date.now() + EXPECTED_FOR_MS
    soon()
  })

  async function refresh(): Promise<boolean> {
    try {
      const page = await api.readInbox()
      const newest = new Set(page.items.map((notice) => notice.notice_id))
      const older = notices.value.filter((notice) => !newest.has(notice.notice_id))
      if (older.length === 0) next.value = page.next
      notices.value = [...page.items, ...older]
      unread.value = page.unread
      problem.value = null
      known.value = true
      return true
    } catch (error) {
      problem.value = asProblem(error)
      return false
    }
  }

  async function more(): Promise<void> {
    const page = await api.readInbox(next.value)
    const had = new Set(notices.value.map((notice) => notice.notice_id))
    notices.value = [...notices.value, ...page.items.filter((notice) => !had.has(notice.notice_id))]
    next.value = page.next
  }

  /** What is on the screen counts as read; it stays marked as new until the page is left. */
  async function readAll(): Promise<void> {
    for (const notice of notices.value.filter((each) => !each.read)) {
      await api.markRead(notice.notice_id).catch(() => undefined)
    }
    await refresh()
  }

  return { notices, unread, next, problem, known, more, readAll }
}
