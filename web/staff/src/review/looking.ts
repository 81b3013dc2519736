/** Which item and image are looked at, and what the image is compared with. */
import type { Review, ReviewImage, ReviewItem } from '@shared/api/review'
import { computed, ref, type ShallowRef } from 'vue'
import { earlier, present, showsFace, type Shown } from './names'

export type Beside = 'previous' | 'photo'

export function useLooking(review: ShallowRef<Review | null>) {
  /** The item's code. */
  const chosen = ref<string | null>(null)
  /** The image's id. */
  const selected = ref<string | null>(null)
  const beside = ref<Beside | null>(null)
  /** Which of the earlier images stands beside, from the latest on. */
  const back = ref(0)

  const items = computed(() => review.value?.sections.flatMap((section) => section.items) ?? [])
  const images = computed<Shown[]>(() =>
    items.value.flatMap((item) => present(item).map((image, at) => ({ item, image, at: at + 1 }))),
  )
  const item = computed(() => items.value.find((each) => each.item === chosen.value) ?? null)
  const shown = computed<Shown | null>(() => {
    for (const each of items.value) {
      const image = each.images.find(({ image_id }) => image_id === selected.value)
      if (image) return { item: each, image, at: placeOf(each, image) }
    }
    return null
  })
  const previous = computed<Shown[]>(() => {
    const now = shown.value
    if (now === null) return []
    const before = earlier(now.item).filter((image) => image !== now.image)
    const seen = now.image.current ? before : [...present(now.item), ...before]
    // The image that stood at the same place is the likeliest to be meant.
    const aside = seen.filter((image) => placeOf(now.item, image) === now.at)
    return [...new Set([...aside, ...seen])].map((image) => ({ item: now.item, image, at: placeOf(now.item, image) }))
  })
  const photo = computed(() =>
    shown.value !== null && showsFace(shown.value.item) ? (review.value?.registration_photo ?? null) : null,
  )
  const compared = computed<Shown | 'photo' | null>(() => {
    if (beside.value === 'photo') return photo.value && 'photo'
    if (beside.value === 'previous') return previous.value[back.value % (previous.value.length || 1)] ?? null
    return null
  })
  const at = computed(() => images.value.findIndex(({ image }) => image.image_id === selected.value))

  function placeOf(of: ReviewItem, image: ReviewImage): number {
    const among = image.current
      ? present(of)
      : of.images.filter((each) => !each.current && each.replaced?.round === image.replaced?.round)
    return among.indexOf(image) + 1
  }

  function look(image: ReviewImage | undefined, of: ReviewItem): void {
    chosen.value = of.item
    selected.value = image?.image_id ?? null
    back.value = 0
  }

  function choose(of: ReviewItem): void {
    if (chosen.value === of.item && shown.value?.item.item === of.item) return
    look(present(of)[0] ?? of.images[0], of)
  }

  /** What a reviewer begins with: in a later round what changed. */
  function begin(): void {
    const first = items.value.find((each) => each.changed && each.mark === null && each.handed_in)
    const start = first ?? items.value.find((each) => each.mark === null && each.handed_in) ?? images.value[0]?.item
    if (start) choose(start)
  }

  function step(by: 1 | -1): void {
    const here = at.value
    const next = here < 0 ? images.value.find((each) => each.item.item === chosen.value) : images.value[here + by]
    if (next) look(next.image, next.item)
  }

  function compare(how: Beside): void {
    if (beside.value === how) {
      if (how === 'previous' && back.value + 1 < previous.value.length) back.value += 1
      else beside.value = null
      return
    }
    back.value = 0
    if (how === 'photo' ? photo.value : previous.value.length) beside.value = how
  }

  return {
    chosen,
    selected,
    beside,
    items,
    images,
    item,
    shown,
    previous,
    photo,
    compared,
    at,
    look,
    choose,
    begin,
    step,
    compare,
  }
}
