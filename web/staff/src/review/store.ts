/** One application under review: what the page shows, the claim on it, and words that were typed but not saved. */
import type { Review, ReviewItem } from '@shared/api/review'
import { asProblem, Problem } from '@shared/problem'
import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import * as api from '../api'
import { myTier, reviews, session } from '../session'
import { t } from '../words'
import { imagesOf, lookAhead, take } from './ahead'
import { useLease } from './claim'
import { useDrafts } from './drafts'
import { useLooking } from './looking'
import { titleOf } from './names'
import { bring } from './pictures'

export type ReviewStore = ReturnType<typeof useReview>

/** A newer revision came while one looked at an older one. */
export interface Newer {
  round: number
  items: string[]
}

export function useReview(applicationNo: string) {
  const review = shallowRef<Review | null>(null)
  const problem = ref<Problem | null>(null)
  /** By item; they stay when the claim ends, so that nobody types twice. */
  const drafts = useDrafts(session.current.value?.staff_id ?? '', applicationNo)
  const newer = shallowRef<Newer | null>(null)
  /** For those who listen to the page: what just happened. */
  const said = ref('')
  /** The item whose return is being written. */
  const writing = ref<string | null>(null)

  const lease = useLease(review, () => void load())
  const { mine, held } = lease
  const looking = useLooking(review)
  const { items, chosen } = looking
  const atMyTier = computed(
    () => reviews.value && review.value?.state === (myTier.value === 'site' ? 'at_site' : 'at_region'),
  )
  const heldByOther = computed(() => review.value?.claimed === true && !review.value.claimed_by_me)
  /** Whoever proposed an opinion is not the second to look at it. */
  const claimable = computed(
    () => !mine.value && atMyTier.value && !heldByOther.value && review.value?.proposed?.mine !== true,
  )
  const toReturn = computed(() => items.value.filter((item) => item.mark?.mark === 'return'))
  const handedIn = computed(() => items.value.filter((item) => item.handed_in))
  const unmarked = computed(() => handedIn.value.filter((item) => item.mark === null))
  /** Looked at and left as it was in a round before: nobody needs to look again. */
  const settled = computed(() =>
    (review.value?.round ?? 1) > 1
      ? handedIn.value.filter((item) => item.mark?.mark === 'accept' && !item.changed && !touched.has(item.item))
      : [],
  )
  /** Marked since the page was opened: it stays where it was. */
  const touched = new Set<string>()

  let left = false
  onScopeDispose(() => (left = true))

  /** Counts marks: what was read before one of them is out of date. */
  let changes = 0

  async function load(): Promise<void> {
    problem.value = null
    try {
      const before = changes
      const read = await api.readReview(applicationNo)
      if (before === changes) show(read)
      else await load()
    } catch (error) {
      problem.value = asProblem(error)
    }
  }

  function show(fresh: Review): void {
    const before = review.value
    if (before !== null && fresh.revision > before.revision) {
      const changed = fresh.sections.flatMap((section) => section.items).filter((item) => item.changed)
      newer.value = { round: fresh.round, items: changed.map((item) => titleOf(changed, item.item)) }
    }
    review.value = fresh
    lease.isRenewed()
    if (chosen.value === null || (looking.shown.value === null && looking.item.value === null)) looking.begin()
    if (fresh.claimed_by_me) {
      void Promise.all(imagesOf(fresh).map(({ url }, at) => bring(url, at === 0))).then(goAhead)
    }
  }

  /** The images are there: time to fetch the next application, unless the page was left meanwhile. */
  function goAhead(): void {
    if (!left) void lookAhead(applicationNo)
  }

  async function claim(): Promise<void> {
    try {
      await api.claim(applicationNo)
    } finally {
      await load()
    }
  }

  /** An act that wants the claim; where it has ended it is asked for again first. */
  async function fresh<T>(act: () => Promise<T>): Promise<T> {
    if (!mine.value && held.value) await claimUnchanged()
    try {
      return await act()
    } catch (error) {
      // The page is out of date: the claim has ended, or a newer round is there.
      if (error instanceof Problem && error.status === 409) {
        noteNewer(error)
        await load()
      }
      throw error
    }
  }

  /** What changed meanwhile is looked at before anything is done with it. */
  async function claimUnchanged(): Promise<void> {
    const seen = review.value?.revision
    await claim()
    if (review.value?.revision === seen) return
    throw new Problem(409, 'revision-changed', {
      zh: '考生已提交新的版本，请按最新材料审核后再操作。',
      en: 'The candidate handed in a newer version. Look at what changed first.',
    })
  }

  function noteNewer({ code, document }: Problem): void {
    if (code !== 'revision-changed') return
    const changed = Array.isArray(document['changed_items']) ? document['changed_items'].map(String) : []
    newer.value = {
      round: Number(document['round'] ?? review.value?.round ?? 0),
      items: changed.map((code) => titleOf(items.value, code)),
    }
  }

  async function mark(item: ReviewItem, asked: api.MarkAsked): Promise<void> {
    const put = await fresh(() => api.putMark(applicationNo, item.item, { ...asked, revision: review.value?.revision }))
    drafts.delete(item.item)
    setMark(item, put)
    said.value = t(asked.mark === 'accept' ? 'saidAccepted' : 'saidReturned', {
      item: titleOf(items.value, item.item),
      n: unmarked.value.length,
    })
  }

  async function clear(item: ReviewItem): Promise<void> {
    await fresh(() => api.clearMark(applicationNo, item.item, review.value?.revision ?? 0))
    setMark(item, null)
    said.value = t('saidCleared', { item: titleOf(items.value, item.item) })
  }

  function setMark(marked: ReviewItem, to: ReviewItem['mark']): void {
    const before = review.value
    if (before === null) return
    touched.add(marked.item)
    changes += 1
    lease.isRenewed()
    review.value = {
      ...before,
      sections: before.sections.map((section) => ({
        ...section,
        items: section.items.map((item) => (item.item === marked.item ? { ...item, mark: to } : item)),
      })),
    }
  }

  /** The next item that nobody has looked at, from the chosen one on and round again. */
  function toNextUnlooked(): boolean {
    const from = items.value.findIndex((item) => item.item === chosen.value)
    const inTurn = [...items.value.slice(from + 1), ...items.value.slice(0, from + 1)]
    const next = inTurn.find((item) => item.handed_in && item.mark === null)
    if (next) looking.choose(next)
    return next !== undefined
  }

  /** Opens the form that returns an item, or asks for it. */
  function write(item: ReviewItem): void {
    if (item.channel === 'onsite') return
    if (chosen.value !== item.item) looking.choose(item)
    writing.value = item.item
  }

  const kept = take(applicationNo)
  if (kept !== null) show(kept)
  void load()

  return {
    applicationNo,
    review,
    problem,
    newer,
    said,
    drafts,
    writing,
    leftMs: lease.leftMs,
    mine,
    held,
    heldByOther,
    claimable,
    atMyTier,
    toReturn,
    handedIn,
    unmarked,
    settled,
    ...looking,
    load,
    claim,
    fresh,
    mark,
    clear,
    write,
    toNextUnlooked,
  }
}
