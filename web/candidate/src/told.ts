/** What is said of an application aloud, and how its images are called. Loaded with the checklist, or when news comes. */
import type { Application, Image, ImageStatus, Item } from '@shared/api/upload'
import { say } from '@shared/locale'
import { announce } from './announce'
import { t } from './words'

export function imageName(item: Item, imageId: string): string {
  const at = item.images.findIndex((each) => each.image_id === imageId)
  return t('imageOf', { item: say(item.title), n: at < 0 ? item.images.length : at + 1 })
}

/** Says what has changed between two readings: the state, and images whose check has ended. */
export function tellChanges(old: Application, fresh: Application): void {
  if (old.state !== fresh.state) announce(t(fresh.state))
  const was = new Map<string, ImageStatus>()
  for (const item of old.sections.flatMap((s) => s.items)) for (const i of item.images) was.set(i.image_id, i.status)
  for (const item of fresh.sections.flatMap((s) => s.items)) {
    for (const image of item.images) {
      if (was.get(image.image_id) === 'checking' && image.status !== 'checking') {
        announce(checkedWords(imageName(item, image.image_id), image))
      }
    }
  }
}

function checkedWords(name: string, image: Image): string {
  if (image.status === 'good') return t('nowGood', { image: name })
  if (image.status === 'review') return t('nowReview', { image: name })
  return t('nowBad', { image: name, why: image.findings.map((f) => say(f.words)).join(' ') })
}

export function tellUploaded(item: Item, imageId: string): void {
  announce(t('uploaded', { image: imageName(item, imageId) }))
}

export function tellRemoved(item: Item, imageId: string): void {
  announce(t('removed', { image: imageName(item, imageId) }))
}

/** What to say of files that found no room. */
export function leftOut(item: Item, { room, over }: { room: number; over: number }): string | null {
  return over > 0 ? t('tooMany', { item: say(item.title), n: room, over }) : null
}
