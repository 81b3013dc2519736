/**
 * What happens to the application, told by the service while the page is looked at: one stream per browser, since a
 * browser opens only six connections to us. The tab that holds the lock reads it and tells the others.
 */
import { onScopeDispose, ref, watch, type Ref } from 'vue'
import { session } from './session'

const BEAT_MS = 15_000
/** A leader that is not heard for so long is asleep or gone. */
const SILENCE_MS = 40_000
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000

export interface PageEvent {
  seq: number
  kind: string
}

type Said = { event: PageEvent } | { up: boolean } | { anyone: true }

interface Listener {
  /** Number of the newest event that the page knows of. */
  seq: () => number
  /** Also called without an event: the stream broke, so something may have been missed. */
  onEvent: (event: PageEvent | null) => void
}

/** `streaming` says whether events arrive here; while they do not, the page must ask. Call `begin` once it is read. */
export function useLive(
  applicationNo: string,
  { seq, onEvent }: Listener,
): { streaming: Readonly<Ref<boolean>>; begin: () => void } {
  const streaming = ref(false)
  const name = `baoshen-live-${applicationNo}`
  const others = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(name)
  let newest = 0
  let source: EventSource | null = null
  let release: (() => void) | null = null
  let asked: AbortController | null = null
  let failures = 0
  let retry = 0
  let silence = 0
  let over = false

  function tell(said: Said): void {
    others?.postMessage(said)
  }

  function hear(event: PageEvent): void {
    if (event.seq <= newest) return
    newest = event.seq
    onEvent(event)
  }

  function connect(): void {
    clearTimeout(retry)
    source?.close()
    newest = Math.max(newest, seq())
    const mine = new EventSource(`/applications/${encodeURIComponent(applicationNo)}/events?after=${newest}`)
    source = mine
    mine.onopen = () => {
      failures = 0
      setUp(true)
    }
    mine.addEventListener('page', ({ data }: MessageEvent<string>) => {
      const event = JSON.parse(data) as PageEvent
      hear(event)
      tell({ event })
    })
    mine.onerror = () => {
      if (mine !== source) return
      const stood = streaming.value
      disconnect()
      // The session may have ended: reading the page finds out, and asks the person to log in.
      if (stood) onEvent(null)
      failures += 1
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS)
      // Not all browsers at the same moment when a service comes back.
      if (leads()) retry = window.setTimeout(connect, pause * (0.75 + Math.random() / 2))
    }
  }

  function disconnect(): void {
    clearTimeout(retry)
    source?.close()
    source = null
    setUp(false)
  }

  function setUp(up: boolean): void {
    streaming.value = up
    if (leads()) tell({ up })
  }

  function leads(): boolean {
    return release !== null
  }

  /** Leads now or as soon as the present leader gives up; where there are no locks, every tab leads itself. */
  function stand(): void {
    if (over || leads() || asked !== null || document.hidden || session.ended.value) return
    if (!('locks' in navigator) || others === null) return lead(() => undefined)
    const mine = (asked = new AbortController())
    navigator.locks
      .request(
        name,
        { signal: mine.signal },
        () => new Promise<void>((done) => (mine.signal.aborted ? done() : lead(done))),
      )
      .catch(() => undefined) // given up while waiting
    tell({ anyone: true })
    listenForSilence()
  }

  function lead(done: () => void): void {
    clearTimeout(silence)
    release = done
    connect()
  }

  /** A tab that is not looked at needs no news; it reads the page when somebody comes back to it. */
  function stepDown(): void {
    clearTimeout(silence)
    const done = release
    if (leads()) disconnect()
    release = null
    done?.()
    asked?.abort()
    asked = null
    streaming.value = false
  }

  function listenForSilence(): void {
    clearTimeout(silence)
    silence = window.setTimeout(() => {
      streaming.value = false
      listenForSilence()
    }, SILENCE_MS)
  }

  if (others) {
    others.onmessage = ({ data }: MessageEvent<Said>) => {
      if ('event' in data) return hear(data.event)
      if ('anyone' in data) return leads() ? tell({ up: streaming.value }) : undefined
      if (leads() || asked === null) return
      streaming.value = data.up
      listenForSilence()
    }
  }

  const beat = window.setInterval(() => {
    if (leads()) tell({ up: streaming.value })
  }, BEAT_MS)

  function onVisible(): void {
    if (document.hidden) stepDown()
    else stand()
  }

  function onOnline(): void {
    if (leads() && source === null) connect()
  }

  document.addEventListener('visibilitychange', onVisible)
  window.addEventListener('online', onOnline)
  window.addEventListener('pagehide', stepDown)
  window.addEventListener('pageshow', onVisible)
  watch(session.ended, (ended) => (ended ? stepDown() : stand()))
  onScopeDispose(() => {
    over = true
    stepDown()
    clearInterval(beat)
    others?.close()
    document.removeEventListener('visibilitychange', onVisible)
    window.removeEventListener('online', onOnline)
    window.removeEventListener('pagehide', stepDown)
    window.removeEventListener('pageshow', onVisible)
  })

  return { streaming, begin: stand }
}
