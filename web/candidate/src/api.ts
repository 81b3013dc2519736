/** The candidate's requests, one function each. */
import type { Inbox } from '@shared/api/notify'
import type { Application } from '@shared/api/upload'
import { session } from './session'

const { http } = session

function home(applicationNo: string): string {
  return `/applications/${encodeURIComponent(applicationNo)}`
}

export function imagePath(applicationNo: string, item: string, imageId: string): string {
  return `${home(applicationNo)}/items/${encodeURIComponent(item)}/images/${imageId}`
}

export function readApplication(applicationNo: string): Promise<Application> {
  return http.send(home(applicationNo))
}

export function removeImage(applicationNo: string, item: string, imageId: string): Promise<void> {
  return http.send(imagePath(applicationNo, item, imageId), { method: 'DELETE' })
}

export function submit(applicationNo: string, key: string): Promise<void> {
  return http.send(`${home(applicationNo)}/submissions`, { method: 'POST', body: {}, key })
}

export function readInbox(cursor: string | null = null): Promise<Inbox> {
  return http.send(cursor === null ? '/inbox' : `/inbox?cursor=${encodeURIComponent(cursor)}`)
}

export function markRead(noticeId: string): Promise<void> {
  return http.send(`/inbox/${noticeId}/read`, { method: 'PUT' })
}
