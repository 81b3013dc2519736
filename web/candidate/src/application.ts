/** One candidate's application on the page: read when something happens to it, and written through here only. */
import type { Application, Image, Item, Uploaded } from '@shared/api/upload'
import { asProblem, type Problem } from '@shared/problem'
import { computed, inject, ref, shallowRef, watch, type InjectionKey } from 'vue'
import * as api from './api'
import { setClock } from './clock'
import { useEvery } from './every'
import { useLive } from './live'
import { useUploads, type Upload } from './uploads'

/** How often the page asks while nothing tells it … */
const WATCHED_MS = 700
const CALM_MS = 5_000
/** … and while the stream stands, in case an event was lost. */
const TOLD_WATCHED_MS = 10_000
const TOLD_CALM_MS = 60_000
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

/** Whether the candidate has the application in hand: may change something, or hand it in as it is. */
export function inHand({ state, closed, can_submit }: Application): boolean {
  return ['draft', 'returned', 'withdrawn'].includes(state) && (!closed || can_submit)
}

/** Why it is not in hand, where the state does not say it. */
export function notNow(application: Application): Application['closed'] {
  return ['draft', 'returned', 'withdrawn'].includes(application.state) && !inHand(application)
    ? application.closed
    : null
}

function checksIn({ sections }: Application): number {
  return sections.flatMap((s) => s.items.flatMap((i) => i.images)).filter((i) => i.status === 'checking').length
}

/** Words are loaded when there is something to say. */
function tell(what: (told: typeof import('./told')) => void): void {
  import('./told').then(what, () => undefined)
}

export function useApplication(applicationNo: string) {
  const application = shallowRef<Application | null>(null)
  const problem = ref<Problem | null>(null)
  const { uploads, previews, add, retry, accept, drop, prepare } = useUploads(applicationNo, {
    onStored,
    onRefused: () => void refresh(),
  })
  let writes = 0
  let watchedUntil = 0
  let reading: Promise<boolean> | null = null
  let next: Promise<boolean> | null = null

  const items = computed(() => application.value?.sections.flatMap((section) => section.items) ?? [])
  const checking = computed(() => (application.value ? checksIn(application.value) : 0))
  /** Counts what was told of the application: what came of it elsewhere, such as messages, may be new too. */
  const happened = ref(0)
  /** Counts what was told of the candidate's photos. */
  const photoNews = ref(0)
  const { streaming, begin } = useLive(applicationNo, {
    seq: () => application.value?.seq ?? 0,
    onEvent(event) {
      if (event?.kind.startsWith('photo_')) photoNews.value += 1
      else if (!event?.kind.startsWith('image_')) happened.value += 1
      if (event === null || event.seq > (application.value?.seq ?? 0)) void refresh()
    },
  })
  const { soon } = useEvery(refresh, () => {
    const watched = checking.value > 0 || Date.now() < watchedUntil
    if (streaming.value) return watched ? TOLD_WATCHED_MS : TOLD_CALM_MS
    return watched ? WATCHED_MS : CALM_MS
  })
  watch(streaming, soon)

  /** However many ask at once, one reading is under way and at most one follows, which begins after the last call. */
  function refresh(): Promise<boolean> {
    if (reading !== null) return (next ??= reading.then(() => ((next = null), refresh())))
    reading = read().finally(() => (reading = null))
    return reading
  }

  async function read(): Promise<boolean> {
    try {
      for (;;) {
        const before = writes
        const fresh = await api.readApplication(applicationNo)
        problem.value = null
        // An answer from before our last write would undo it on the page for a moment.
        if (before !== writes) continue
        show(fresh)
        begin()
        return true
      }
    } catch (error) {
      problem.value = asProblem(error)
      return false
    }
  }

  function show(fresh: Application): void {
    const old = application.value
    if (fresh.now) setClock(fresh.now)
    application.value = fresh
    if (old === null) return
    if (old.revision !== fresh.revision || old.state !== fresh.state) {
      watchedUntil = Date.now() + WATCHED_FOR_MS
      happened.value += 1
    }
    if (old.state !== fresh.state || checksIn(old)) tell((told) => told.tellChanges(old, fresh))
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
    const image: Image = { ...stored, findings: [], may_confirm: false }
    change(upload.item, (item) => ({
      ...item,
      images: [...item.images.filter((each) => each.image_id !== image.image_id), image],
    }))
    const item = items.value.find((each) => each.item === upload.item)
    if (item) tell((told) => told.tellUploaded(item, image.image_id))
  }

  /** Takes as many of the chosen files as the item still has room for; says for how many, and how many were left out. */
  function choose(item: Item, files: File[]): { room: number; over: number } {
    const pending = uploads.filter((each) => each.item === item.item && each.state !== 'failed').length
    const room = Math.max(0, item.max - item.images.length - pending)
    add(item.item, files.slice(0, room))
    return { room, over: Math.max(0, files.length - room) }
  }

  async function removeImage(item: Item, imageId: string): Promise<void> {
    await api.removeImage(applicationNo, item.item, imageId)
    change(item.item, (now) => ({ ...now, images: now.images.filter((each) => each.image_id !== imageId) }))
    tell((told) => told.tellRemoved(item, imageId))
    void refresh()
  }

  /** An image that is stored goes through the candidate's hands once more: what comes out replaces it. */
  function mend(item: Item, file: File, replaces: string): void {
    add(item.item, [file], replaces)
  }

  /** Takes over what the service answered about an image of the item. */
  function keep(itemCode: string, stored: Uploaded): void {
    change(itemCode, (item) => {
      const old = item.images.find((each) => each.image_id === stored.image_id)
      const image: Image = { ...stored, findings: old?.findings ?? [], may_confirm: false }
      return {
        ...item,
        images: old ? item.images.map((each) => (each === old ? image : each)) : [...item.images, image],
      }
    })
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

  return {
    application,
    problem,
    items,
    checking,
    happened,
    photoNews,
    streaming,
    uploads,
    previews,
    choose,
    retry,
    accept,
    drop,
    prepare,
    mend,
    removeImage,
    keep,
    submit,
    refresh,
  }
}
