/** What things of an application are called. */
import type { Replaced, ReviewImage, ReviewItem } from '@shared/api/review'
import { say } from '@shared/locale'
import { t } from '../words'

export interface Shown {
  item: ReviewItem
  image: ReviewImage
  /** From 1, among the item's present images, or among its earlier ones. */
  at: number
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

export function present(item: ReviewItem): ReviewImage[] {
  return item.images.filter((image) => image.current)
}

/** What came before, the latest first. */
export function earlier(item: ReviewItem): ReviewImage[] {
  return item.images
    .filter((image) => !image.current)
    .sort((one, other) => (other.replaced?.round ?? other.round) - (one.replaced?.round ?? one.round))
}

/** How many things the automatic check noticed on an item: findings, copies, and what contradicts the registration. */
export function noticed(item: ReviewItem): number {
  const contradicts = item.compared.filter(({ outcome }) => outcome === 'mismatch' || outcome === 'expired').length
  return present(item).reduce(
    (sum, image) =>
      sum +
      image.findings.filter(({ severity }) => severity !== 'info').length +
      image.copies.length +
      (image.reading?.mirrored ? 1 : 0),
    contradicts,
  )
}

/** Why an image was replaced, a phrase for each time that somebody had asked for it. */
export function whyReplaced({ why }: Replaced): string[] {
  if (why.length === 0) return [t('whyUnknown')]
  return why.map(({ tier, words }) => t('whyReplaced', { who: t(`tier_${tier}`), words }))
}
