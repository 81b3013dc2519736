/** One candidate's application on the page: read again and again, and written through here only. */
import type { Application, Image, ImageStatus, Item, Uploaded } from '@shared/api/upload'
import { say } from '@shared/locale'
import { asProblem, type Problem } from '@shared/problem'
import { computed, inject, ref, shallowRef, type InjectionKey } from 'vue'
import { announce } from './announce'
import * as api from './api'
import { useEvery } from './every'
import { useUploads, type Upload } from './uploads'
import { t } from './words'

const WATCHED_MS = 700
const CALM_MS = 5_000
/** After a change of state the next one may follow soon: a failed check, in a trial run a reviewer. */
const WATCHED_FOR_MS = 120_000

export type ApplicationStore = ReturnType<typeof useApplication>

const KEY: InjectionKey<ApplicationStore> = Symbol('application')
export const applicationKey = KEY

export function theApplication(): ApplicationStore {
  const store = inject(KEY)
  if (!store) throw new Error('no application above this component')
  return store
}

export function imageName(item: Item, imageId: string): string {
  const at = item.images.findIndex((each) => each.image_id === imageId)
  return t('imageOf', { item: say(item.title), n: at < 0 ? item.images.length : at + 1 })
}

export function useApplication(applicationNo: string) {
  const application = shallowRef<Application | null>(null)
  const problem = ref<Problem | null>(null)
  const { uploads, previews, add, retry, drop } = useUploads(applicationNo, {
    onStored,
    onRefused: () => void refresh(),
  })
  let writes = 0
  let watchedUntil = 0

  const items = computed(() => application.value?.sections.flatMap((section) => section.items) ?? [])
  const checking = computed(() => items.value.flatMap((i) => i.images).filter((i) => i.status === 'checking').length)
  const { soon } = useEvery(refresh, () => (checking.value > 0 || Date.now() < watchedUntil ? WATCHED_MS : CALM_MS))

  async function refresh(): Promise<boolean> {
    const before = writes
    try {
      const fresh = await api.readApplication(applicationNo)
      problem.value = null
      // An answer from before our last write would undo it on the page for a moment.
      if (before === writes) show(fresh)
      return true
    } catch (error) {
      problem.value = asProblem(error)
      return false
    }
  }

  function show(fresh: Application): void {
    const old = application.value
    application.value = fresh
    if (old === null) return
    if (old.revision !== fresh.revision || old.state !== fresh.state) watchedUntil = Date.now() + WATCHED_FOR_MS
    if (old.state !== fresh.state) announce(t(fresh.state))
    announceChecks(old, fresh)
  }

  function announceChecks(old: Application, fresh: Application): void {
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

  function change(itemCode: string, edit: (item: Item) => Item): void {
    const now = application.value
    if (now === null) return
    writes += 1
    application.value = {
      ...now,
      sections: now.sections.map((section) => ({
        ...section,
        items: section.items.map((item) => (item.item === itemCode ? edit(item) : item)),
      })),
    }
    soon()
  }

  function onStored(upload: Upload, stored: Uploaded): void {
    const image: Image = { ...stored, findings: [] }
    change(upload.item, (item) => ({
      ...item,
      images: [...item.images.filter((each) => each.image_id !== image.image_id), image],
    }))
    const item = items.value.find((each) => each.item === upload.item)
    if (item) announce(t('uploaded', { image: imageName(item, image.image_id) }))
  }

  /** Takes as many of the chosen files as the item still has room for, and says so when some are left out. */
  function choose(item: Item, files: File[]): string | null {
    const pending = uploads.filter((each) => each.item === item.item).length
    const room = Math.max(0, item.max - item.images.length - pending)
    add(item.item, files.slice(0, room))
    const over = files.length - room
    return over > 0 ? t('tooMany', { item: say(item.title), n: room, over }) : null
  }

  async function removeImage(item: Item, imageId: string): Promise<void> {
    const name = imageName(item, imageId)
    await api.removeImage(applicationNo, item.item, imageId)
    change(item.item, (now) => ({ ...now, images: now.images.filter((each) => each.image_id !== imageId) }))
    announce(t('removed', { image: name }))
    void refresh()
  }

  async function submit(key: string): Promise<void> {
    try {
      await api.submit(applicationNo, key)
    } finally {
      // Refused or not, what the page shows of it is out of date.
      writes += 1
      watchedUntil = Date.now() + WATCHED_FOR_MS
      await refresh()
    }
  }

  return { application, problem, items, checking, uploads, previews, choose, retry, drop, removeImage, submit, refresh }
}
