/** The candidate's photo checks: the file on its way, the check that is looked at, those before; and registering one. */
import { newId } from '@shared/action'
import type { PhotoCheck } from '@shared/api/upload'
import { say } from '@shared/locale'
import { asProblem, noAnswer, type Problem } from '@shared/problem'
import { inject, reactive, ref, shallowRef, watch, type InjectionKey } from 'vue'
import type { ApplicationStore } from './application'
import { photoCheckPath, readPhotoCheck, readPhotoChecks, registrationPhotoPath } from './photochecks'
import { whyNot, type Why } from './photofile'
import { readFile, sendFile } from './put'

/** How often a check is asked after: while nothing tells the page, while something does, and when it takes long. */
const UNTOLD_MS = 300
const TOLD_MS = 1_000
const SLOW_MS = 3_000
/** After that many milliseconds it takes long. */
const SOON_MS = 15_000
const FIRST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 60_000

export interface Attempt {
  /** Made once, so that however often the file is sent, it is checked once. */
  readonly photoId: string
  readonly file: File
  /** An object URL of the file. */
  readonly preview: string
  /** `waiting`: tried in vain, goes out again by itself. */
  state: 'sending' | 'waiting'
  /** 0 to 1. */
  sent: number
  problem: Problem | null
}

/** What no program can see. */
export interface Declared {
  recent: boolean
  unaltered: boolean
}

export function undeclared(): Declared {
  return { recent: false, unaltered: false }
}

export function isDeclared({ recent, unaltered }: Declared): boolean {
  return recent && unaltered
}

function spoken(declared: Declared): string {
  const said = Object.entries(declared).flatMap(([what, isSaid]) => (isSaid ? [what] : []))
  return said.length ? `?declared=${said.join(',')}` : ''
}

export type Photos = ReturnType<typeof makePhotos>

export const photosKey: InjectionKey<Photos> = Symbol('photos')

export function thePhotos(): Photos {
  const photos = inject(photosKey)
  if (!photos) throw new Error('no photo page above this component')
  return photos
}

let kept: { no: string; photos: Photos } | null = null

/** What is under way goes on while the candidate looks at another tab. */
export function photosOf(applicationNo: string, store: ApplicationStore): Photos {
  if (kept?.no !== applicationNo) kept = { no: applicationNo, photos: makePhotos(applicationNo, store) }
  return kept.photos
}

function makePhotos(applicationNo: string, store: ApplicationStore) {
  const attempt = ref<Attempt | null>(null)
  const shown = shallowRef<PhotoCheck | null>(null)
  const checks = shallowRef<PhotoCheck[]>([])
  const late = ref(false)
  /** The check whose photo was registered here last. */
  const used = ref<string | null>(null)
  /** Why the file that was chosen last is not checked. */
  const refusal = shallowRef<{ file: string; why: Why } | null>(null)
  const declared = reactive(undeclared())
  /** By photo id: what was chosen here need not be downloaded to be shown. */
  const previews = new Map<string, string>()
  let wake = (): void => undefined
  let timer = 0
  let given = new AbortController()
  let pause = FIRST_PAUSE_MS

  watch(store.photoNews, () => wake())
  window.addEventListener('online', () => {
    pause = FIRST_PAUSE_MS
    retry()
  })
  window.addEventListener('beforeunload', (event) => {
    if (attempt.value) event.preventDefault()
  })

  /** Looks at the file before it costs the candidate's traffic. */
  async function choose(file: File): Promise<void> {
    refusal.value = null
    const why = await whyNot(file)
    if (why) return void (refusal.value = { file: file.name, why })
    attempt.value = {
      photoId: newId(),
      file,
      preview: URL.createObjectURL(file),
      state: 'sending',
      sent: 0,
      problem: null,
    }
    await send(attempt.value)
  }

  async function send(mine: Attempt): Promise<void> {
    Object.assign(mine, { state: 'sending', sent: 0, problem: null })
    given = new AbortController()
    try {
      // What says that there is no network may be wrong: after a pause it is tried all the same.
      if (!navigator.onLine && pause === FIRST_PAUSE_MS) throw noAnswer()
      const path = photoCheckPath(applicationNo, mine.photoId) + spoken(declared)
      const check = await sendFile<PhotoCheck>(path, mine.file, {
        onSent: (share) => (mine.sent = share),
        signal: given.signal,
      })
      if (attempt.value !== mine) return void load() // meanwhile the candidate gave it up
      previews.set(check.photo_id, mine.preview)
      pause = FIRST_PAUSE_MS
      attempt.value = null
      // The next photo is declared anew.
      Object.assign(declared, undeclared())
      open(check)
    } catch (error) {
      if (attempt.value !== mine) return
      const problem = asProblem(error)
      // How often photos are checked is limited by the hour: nobody waits for that here.
      if (problem.passes && problem.status !== 429) return plan(Object.assign(mine, { state: 'waiting', problem }))
      refusal.value = { file: mine.file.name, why: { code: problem.code, words: () => say(problem.words) } }
      cancel()
    }
  }

  function plan(mine: Attempt): void {
    clearTimeout(timer)
    timer = window.setTimeout(() => void send(mine), pause)
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
  }

  function retry(): void {
    if (attempt.value?.state !== 'waiting') return
    clearTimeout(timer)
    void send(attempt.value)
  }

  function cancel(): void {
    clearTimeout(timer)
    if (attempt.value) URL.revokeObjectURL(attempt.value.preview)
    attempt.value = null
    given.abort()
  }

  /** Looks at a check, and waits for its end. */
  function open(check: PhotoCheck | null): void {
    refusal.value = null
    late.value = false
    shown.value = check
    wake()
    if (check) keep(check)
    if (check?.status === 'checking') void follow(check.photo_id)
  }

  function keep(check: PhotoCheck): void {
    const others = checks.value.filter((each) => each.photo_id !== check.photo_id)
    checks.value = [check, ...others].sort((a, b) => b.requested_at.localeCompare(a.requested_at))
    if (shown.value?.photo_id === check.photo_id) shown.value = check
  }

  async function follow(photoId: string): Promise<void> {
    const began = Date.now()
    while (shown.value?.photo_id === photoId && shown.value.status === 'checking') {
      late.value = Date.now() - began > SOON_MS
      await moment(late.value ? SLOW_MS : store.streaming.value ? TOLD_MS : UNTOLD_MS)
      try {
        keep(await readPhotoCheck(applicationNo, photoId))
      } catch (error) {
        if (!asProblem(error).passes) return void load()
      }
    }
  }

  /** So many milliseconds, or until there is news. */
  function moment(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const over = window.setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(over)
        resolve()
      }
    })
  }

  /** The checks that there are; one that has not ended is gone back to. */
  async function load(): Promise<void> {
    const fresh = await readPhotoChecks(applicationNo).catch(() => null)
    if (fresh === null) return
    checks.value = fresh
    const same = shown.value && fresh.find((each) => each.photo_id === shown.value?.photo_id)
    if (same) shown.value = same
    else if (!attempt.value && fresh[0]?.status === 'checking') open(fresh[0])
  }

  /** Registers a photo that passed, byte for byte; `said` is what is declared with it. */
  async function register(photo: Blob, key: string, said: Declared = undeclared()): Promise<void> {
    try {
      await sendFile(registrationPhotoPath(applicationNo) + spoken(said), photo, { method: 'POST', key })
      used.value = null
    } finally {
      await Promise.all([store.refresh(), load()])
    }
  }

  async function registerMade(check: PhotoCheck, key: string): Promise<void> {
    if (!check.photo) return
    await register(await readFile(check.photo.url), key)
    used.value = check.photo_id
  }

  return {
    attempt,
    shown,
    checks,
    late,
    used,
    refusal,
    declared,
    previews,
    choose,
    retry,
    cancel,
    open,
    load,
    register,
    registerMade,
  }
}
