/** The candidate's requests, one function each. */
import type { Inbox } from '@shared/api/notify'
import type { Application, Captcha, CandidateSessions, CodeSent, Uploaded } from '@shared/api/upload'
import { session } from './session'

const { http } = session

/** Where everything of the application is. */
export function home(applicationNo: string): string {
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

/** Undoes a removal: the image comes back under the new id. */
export function restoreImage(no: string, item: string, imageId: string, newId: string, key: string): Promise<Uploaded> {
  const body = { image_id: newId }
  return http.send(`${imagePath(no, item, imageId)}/restorations`, { method: 'POST', body, key })
}

/** Hands in an image of poor quality all the same. */
export function confirmImage(no: string, item: string, imageId: string, key: string): Promise<Uploaded> {
  return http.send(`${imagePath(no, item, imageId)}/confirmations`, { method: 'POST', body: {}, key })
}

export function withdraw(applicationNo: string, key: string): Promise<void> {
  return http.send(`${home(applicationNo)}/withdrawals`, { method: 'POST', body: {}, key })
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

/** One that no session is needed for. */
export function newCaptcha(): Promise<Captcha> {
  return http.send('/candidate/captchas', { method: 'POST', body: {}, key: crypto.randomUUID(), anonymous: true })
}

export async function readSessions(): Promise<CandidateSessions['items']> {
  return (await http.send<CandidateSessions>('/candidate/sessions')).items
}

export function endSession(sessionId: string): Promise<void> {
  return http.send(`/candidate/sessions/${encodeURIComponent(sessionId)}`, { method: 'DELETE' })
}

export function endAllSessions(): Promise<void> {
  return http.send('/candidate/sessions', { method: 'DELETE' })
}

/** Sends a code to the new phone. */
export function askForCode(phone: string, key: string): Promise<CodeSent> {
  return http.send('/candidate/phone/codes', { method: 'POST', body: { phone }, key })
}

export function changePhone(codeId: string, code: string): Promise<{ phone_masked: string }> {
  return http.send('/candidate/phone', { method: 'PUT', body: { code_id: codeId, code } })
}
