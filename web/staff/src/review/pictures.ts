/** Images in this tab's memory, fetched before they are looked at; what was not used for long is let go. */
import { reactive } from 'vue'

const MOST_BYTES = 48 * 1024 * 1024
const AT_ONCE = 4
const PATIENCE_MS = 20_000

interface Picture {
  src: string
  bytes: number
}

/** By the address at the service, those used last at the end. */
const kept = reactive(new Map<string, Picture>())
const failed = reactive(new Set<string>())
const coming = new Map<string, Promise<void>>()
const waiting: (() => void)[] = []
let running = 0

/** The image as an `img` takes it; null while it is not there. */
export function srcOf(url: string): string | null {
  return kept.get(url)?.src ?? null
}

export function hasFailed(url: string): boolean {
  return failed.has(url)
}

/** Fetches an image unless it is there; the urgent ones go first. */
export function bring(url: string, urgent = false): Promise<void> {
  const there = kept.get(url)
  if (there) {
    kept.delete(url)
    kept.set(url, there)
    return Promise.resolve()
  }
  const known = coming.get(url)
  if (known) return known
  failed.delete(url)
  const brought = turn(urgent)
    .then(() => fetchInto(url))
    .catch(() => void failed.add(url))
    .finally(() => {
      coming.delete(url)
      running -= 1
      waiting.shift()?.()
    })
  coming.set(url, brought)
  return brought
}

function turn(urgent: boolean): Promise<void> {
  if (running < AT_ONCE || urgent) {
    running += 1
    return Promise.resolve()
  }
  return new Promise((go) =>
    waiting.push(() => {
      running += 1
      go()
    }),
  )
}

async function fetchInto(url: string): Promise<void> {
  const answer = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) })
  if (!answer.ok) throw new Error(`${answer.status}`)
  const blob = await answer.blob()
  kept.set(url, { src: URL.createObjectURL(blob), bytes: blob.size })
  let bytes = [...kept.values()].reduce((sum, each) => sum + each.bytes, 0)
  for (const [oldest, picture] of kept) {
    if (bytes <= MOST_BYTES || oldest === url) break
    bytes -= picture.bytes
    drop(oldest)
  }
}

function drop(url: string): void {
  const picture = kept.get(url)
  if (!picture) return
  URL.revokeObjectURL(picture.src)
  kept.delete(url)
}

/** Papers of an application that nobody here looks at any more are not kept. */
export function letGo(applicationNo: string): void {
  const under = `/reviews/${applicationNo}/`
  for (const url of [...kept.keys()]) if (url.startsWith(under)) drop(url)
  for (const url of [...failed]) if (url.startsWith(under)) failed.delete(url)
}
