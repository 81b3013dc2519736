/** One application under review: what the page shows, the claim on it, and words that were typed but not saved. */
import type { Replaced, Review, ReviewImage, ReviewItem } from '@shared/api/review'
import { say } from '@shared/locale'
import { asProblem, Problem } from '@shared/problem'
import { computed, inject, onScopeDispose, reactive, ref, shallowRef, type InjectionKey } from 'vue'
import * as api from './api'
import { myTier } from './session'
import { t } from './words'

/** Somebody who moves the mouse or types is still at it: the claim is renewed this often. */
const RENEW_EVERY_MS = 60_000

export interface Draft {
  reason: string
  words: string
  images: string[]
  /** The candidate may hand in the same images again. */
  sameImages: boolean
}

export interface Shown {
  item: ReviewItem
  image: ReviewImage
  /** From 1, among the item's present images. */
  at: number
}

export type ReviewStore = ReturnType<typeof useReview>

export const reviewKey: InjectionKey<ReviewStore> = Symbol('review')

export function theReview(): ReviewStore {
  const store = inject(reviewKey)
  if (!store) throw new Error('no review above this component')
  return store
}

/** The item whose images show the candidate's face: the registration photo stands beside them. */
const WITH_FACE = 'identity'

export function showsFace(item: ReviewItem): boolean {
  return item.item === WITH_FACE
}

/** An item's title where these rules have it; a code that they lack is shown as it is. */
export function titleOf(items: readonly ReviewItem[], code: string): string {
  const item = items.find((each) => each.item === code)
  return item ? say(item.title) : code
}

export function imageName(shown: Shown): string {
  return t('imageOf', { item: say(shown.item.title), n: shown.at })
}

/** Why an image was replaced, a phrase for each time that somebody had asked for it. */
export function whyReplaced({ why }: Replaced): string[] {
  if (why.length === 0) return [t('whyUnknown')]
  return why.map(({ tier, words }) => t('whyReplaced', { who: t(`tier_${tier}`), words }))
}

export function useReview(applicationNo: string) {
  const review = shallowRef<Review | null>(null)
  const problem = ref<Problem | null>(null)
  const now = ref(Date.now())
  const held = ref(false)
  /** By item; they stay when the claim ends, so that nobody types twice. */
  const drafts = reactive(new Map<string, Draft>())
  const selected = ref<string | null>(null)
  let lastActive = 0

  const items = computed(() => review.value?.sections.flatMap((section) => section.items) ?? [])
  const images = computed<Shown[]>(() =>
    items.value.flatMap((item) =>
      item.images.filter((image) => image.current).map((image, at) => ({ item, image, at: at + 1 })),
    ),
  )
  const shown = computed<Shown | null>(() => {
    for (const item of items.value) {
      const at = item.images.findIndex((image) => image.image_id === selected.value)
      const image = item.images[at]
      if (image) return images.value.find((each) => each.image === image) ?? { item, image, at: at + 1 }
    }
    return null
  })
  const leftMs = computed(() => {
    const until = review.value?.claimed_by_me ? review.value.claimed_until : null
    return until === null ? 0 : Math.max(0, Date.parse(until) - now.value)
  })
  const mine = computed(() => leftMs.value > 0)
  const atMyTier = computed(() => review.value?.state === (myTier.value === 'site' ? 'at_site' : 'at_region'))
  const toReturn = computed(() => items.value.filter((item) => item.mark?.mark === 'return'))
  const handedIn = computed(() => items.value.filter((item) => item.handed_in))
  const unmarked = computed(() => handedIn.value.filter((item) => item.mark === null))

  async function load(): Promise<void> {
    problem.value = null
    try {
      show(await api.readReview(applicationNo))
    } catch (error) {
      problem.value = asProblem(error)
    }
  }

  function show(fresh: Review): void {
    review.value = fresh
    now.value = Date.now()
    if (fresh.claimed_by_me) held.value = true
    if (shown.value === null) {
      // In a later round the reviewer wants to see what changed.
      selected.value = (images.value.find((each) => each.item.changed) ?? images.value[0])?.image.image_id ?? null
    }
  }

  async function claim(): Promise<void> {
    await api.claim(applicationNo)
    lastActive = Date.now()
    await load()
  }

  async function release(): Promise<void> {
    await api.release(applicationNo)
  }

  async function renew(): Promise<void> {
    if (!mine.value || Date.now() - lastActive > RENEW_EVERY_MS) return
    try {
      const { claimed_until } = await api.claim(applicationNo)
      if (review.value) review.value = { ...review.value, claimed_until }
    } catch {
      // The clock on the page goes on; the next act says what is the matter.
    }
  }

  async function mark(item: ReviewItem, asked: api.MarkAsked): Promise<void> {
    setMark(item, await fresh(api.putMark(applicationNo, item.item, asked)))
    drafts.delete(item.item)
  }

  async function clear(item: ReviewItem): Promise<void> {
    await fresh(api.clearMark(applicationNo, item.item))
    setMark(item, null)
  }

  /** A conflict means that the page is out of date: the claim has ended, or a newer round is there. */
  async function fresh<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      if (error instanceof Problem && error.status === 409) await load()
      throw error
    }
  }

  function setMark(marked: ReviewItem, to: ReviewItem['mark']): void {
    const before = review.value
    if (before === null) return
    review.value = {
      ...before,
      sections: before.sections.map((section) => ({
        ...section,
        items: section.items.map((item) => (item.item === marked.item ? { ...item, mark: to } : item)),
      })),
    }
    lastActive = Date.now()
  }

  function step(by: 1 | -1): void {
    const all = images.value
    const at = all.findIndex((each) => each.image.image_id === selected.value)
    const next = at < 0 ? all.find((each) => each.item.item === shown.value?.item.item) : all[at + by]
    if (next) selected.value = next.image.image_id
  }

  const clock = window.setInterval(() => (now.value = Date.now()), 1_000)
  const renewal = window.setInterval(() => void renew(), RENEW_EVERY_MS)
  const active = () => (lastActive = Date.now())
  const signs = ['pointermove', 'pointerdown', 'keydown', 'wheel'] as const
  for (const sign of signs) window.addEventListener(sign, active, { passive: true })
  onScopeDispose(() => {
    clearInterval(clock)
    clearInterval(renewal)
    for (const sign of signs) window.removeEventListener(sign, active)
  })
  void load()

  return {
    applicationNo,
    review,
    problem,
    items,
    images,
    shown,
    selected,
    leftMs,
    mine,
    held,
    atMyTier,
    toReturn,
    handedIn,
    unmarked,
    drafts,
    load,
    claim,
    release,
    mark,
    clear,
    step,
  }
}
