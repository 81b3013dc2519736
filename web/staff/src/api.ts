/** The reviewers' requests, one function each. */
import type { Opinion } from '@shared/api/common'
import type { Claim, Mark, Published, Queue, QueueName, Review } from '@shared/api/review'
import { session } from './session'

const { http } = session

export interface MarkAsked {
  mark: Mark['mark']
  reason_code?: string
  words?: string
  image_ids?: string[]
  same_images_allowed?: boolean
}

function home(applicationNo: string): string {
  return `/reviews/${encodeURIComponent(applicationNo)}`
}

function post<T>(path: string, key: string, body: Record<string, unknown> = {}): Promise<T> {
  return http.send(path, { method: 'POST', body, key })
}

export function readQueue(state: QueueName, cursor: string | null = null): Promise<Queue> {
  const query = new URLSearchParams({ state, limit: '20' })
  if (cursor !== null) query.set('cursor', cursor)
  return http.send(`/reviews?${query}`)
}

export function claimNext(key: string): Promise<Claim> {
  return post('/reviews/claims', key)
}

export function claim(applicationNo: string): Promise<Claim> {
  return http.send(`${home(applicationNo)}/claim`, { method: 'PUT' })
}

export function release(applicationNo: string): Promise<void> {
  return http.send(`${home(applicationNo)}/claim`, { method: 'DELETE' })
}

export function readReview(applicationNo: string): Promise<Review> {
  return http.send(home(applicationNo))
}

export function putMark(applicationNo: string, item: string, mark: MarkAsked): Promise<Mark> {
  return http.send(`${home(applicationNo)}/items/${encodeURIComponent(item)}/mark`, { method: 'PUT', body: mark })
}

export function clearMark(applicationNo: string, item: string): Promise<void> {
  return http.send(`${home(applicationNo)}/items/${encodeURIComponent(item)}/mark`, { method: 'DELETE' })
}

/** The revision that the reviewer looked at goes along: a newer one is refused. */
export function returnItems(applicationNo: string, key: string, revision: number): Promise<void> {
  return post(`${home(applicationNo)}/returns`, key, { revision })
}

export function pass(applicationNo: string, key: string, revision: number): Promise<void> {
  return post(`${home(applicationNo)}/passes`, key, { revision })
}

export function sendBack(applicationNo: string, key: string, revision: number, words: string): Promise<void> {
  return post(`${home(applicationNo)}/send-backs`, key, { revision, words })
}

export function decide(
  applicationNo: string,
  key: string,
  revision: number,
  outcome: Opinion,
  words: string,
): Promise<void> {
  return post(`${home(applicationNo)}/decisions`, key, { revision, outcome, words })
}

export function publish(key: string, region: string, year: number): Promise<Published> {
  return post('/publications', key, { region, year })
}
