/** The next application, claimed and fetched while the present one is still looked at. */
import { newId } from '@shared/action'
import type { Review } from '@shared/api/review'
import { Problem } from '@shared/problem'
import { route } from '@shared/route'
import * as api from '../api'
import { releaseLeaving } from '../api.review'
import { work } from '../work'
import { bring, letGo, srcOf } from './pictures'

/** Of the next application no more is fetched than that; the rest comes when it is opened. */
const MOST_BYTES = 12 * 1024 * 1024

interface Ahead {
  applicationNo: string
  review: Review | null
}

/** Held besides the present one: the next, and one that was put off for an undone act. */
let held: Ahead[] = []
let coming: Promise<void> | null = null
/** Counts up when what is on its way is not wanted any more. */
let turn = 0

export function imagesOf(review: Review): { url: string; size: number }[] {
  const items = review.sections.flatMap((section) => section.items)
  const images = items.flatMap((item) => item.images.filter((image) => image.current))
  // What changed is looked at first.
  const changed = new Set(items.filter((item) => item.changed).flatMap((item) => item.images))
  const inOrder = [...images].sort((one, other) => Number(changed.has(other)) - Number(changed.has(one)))
  const photo = review.registration_photo
  return photo ? [...inOrder, { url: photo.url, size: 30_000 }] : inOrder
}

/** Claims the next and fetches it, unless it is there already. */
export function lookAhead(present: string): Promise<void> {
  if (held.length > 0 || work.state === null) return Promise.resolve()
  return (coming ??= claimAhead(present).finally(() => (coming = null)))
}

async function claimAhead(present: string): Promise<void> {
  const mine = turn
  const state = work.state
  if (state === null) return
  let claimed: string
  try {
    claimed = (await api.claimNext(newId(), { state, ...work.filters })).application_no
  } catch {
    return // nothing waits, or the network is down: it is asked for once more when it is wanted
  }
  if (mine !== turn || claimed === present) {
    if (claimed !== present) void api.release(claimed).catch(() => undefined)
    return
  }
  const next: Ahead = { applicationNo: claimed, review: null }
  held.push(next)
  void fetchAhead(next)
}

async function fetchAhead(next: Ahead): Promise<void> {
  try {
    const review = await api.readReview(next.applicationNo)
    if (!held.includes(next)) return
    next.review = review
    let bytes = 0
    const wanted = imagesOf(review).filter(({ size }) => (bytes += size) <= MOST_BYTES)
    await Promise.all(wanted.map(({ url }) => bring(url)))
    const first = wanted[0] && srcOf(wanted[0].url)
    if (first) await decoded(first)
  } catch {
    // it is read when it is opened
  }
}

/** An image that was decoded once shows at once. */
async function decoded(src: string): Promise<void> {
  const image = new Image()
  image.src = src
  await image.decode().catch(() => undefined)
}

/** The next one's number, claiming it now if it is not held yet; null where nothing waits. */
export async function next(present: string): Promise<string | null> {
  if (held.length === 0 && coming !== null) await coming
  if (held.length === 0 && work.state !== null) {
    try {
      const { application_no } = await api.claimNext(newId(), { state: work.state, ...work.filters })
      if (application_no !== present) held.push({ applicationNo: application_no, review: null })
    } catch (error) {
      if (!(error instanceof Problem)) throw error
    }
  }
  return held[0]?.applicationNo ?? null
}

/** What is known of an application that is opened now; it is no longer ahead. */
export function take(applicationNo: string): Review | null {
  const found = held.find((each) => each.applicationNo === applicationNo)
  held = held.filter((each) => each !== found)
  return found?.review ?? null
}

/** One goes back to another application for a moment: this one is the next. */
export function putOff(review: Review): void {
  held = [{ applicationNo: review.application_no, review }, ...held]
}

/** Whoever is at work keeps the next one, too. */
export async function renewAhead(): Promise<void> {
  const mine = turn
  for (const each of [...held]) {
    if (!held.includes(each)) continue // opened or given back while another was renewed
    try {
      const { revision } = await api.claim(each.applicationNo)
      if (!held.includes(each)) {
        // Given back meanwhile: the renewal may have come after the release.
        if (mine !== turn) void api.release(each.applicationNo).catch(() => undefined)
      } else if (each.review !== null && each.review.revision !== revision) {
        // It is still this person's: what was handed in since is what they get to see.
        each.review = null
        void fetchAhead(each)
      }
    } catch (error) {
      if (error instanceof Problem && !error.passes) drop(each)
    }
  }
}

function drop(each: Ahead): void {
  held = held.filter((other) => other !== each)
  letGo(each.applicationNo)
}

/** Gives back to the queue what is not looked at. */
export function giveBack(leaving = false): void {
  turn += 1
  for (const each of [...held]) {
    drop(each)
    if (leaving) releaseLeaving(each.applicationNo)
    else void api.release(each.applicationNo).catch(() => undefined)
  }
}

/** Whether the page that comes now is an application's: then the next one is still wanted. */
export function goesOn(): boolean {
  return route.value.startsWith('/applications/')
}

addEventListener('pagehide', () => giveBack(true))
