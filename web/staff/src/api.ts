/** The staff's requests, one function each. */
import type { Opinion } from '@shared/api/common'
import type { Claim, HistoryLine, Mark, QueueName, Review } from '@shared/api/review'
import { noAnswer, problemFrom } from '@shared/problem'
import { session } from './session'
import type {
  AuditFilters,
  AuditLine,
  BulkResult,
  Counts,
  Filters,
  IdNumber,
  LoginOptions,
  Member,
  MemberAsked,
  MemberChange,
  Moved,
  NextClaim,
  PageOf,
  Progress,
  Publication,
  PublicationShown,
  Readiness,
  Returned,
  Rows,
  Seal,
  SecondFactorBegun,
} from './shapes'

const { http } = session

export interface MarkAsked {
  mark: Mark['mark']
  reason_code?: string
  words?: string
  image_ids?: string[]
  same_images_allowed?: boolean
  /** What the reviewer had on the screen: a mark on older images says nothing of newer ones. */
  revision?: number
}

/** What a site would have the region decide. */
export interface Recommendation {
  opinion: Exclude<Opinion, 'approved'>
  words: string
}

export interface FalseMaterialAsked {
  item?: string
  image_ids?: string[]
  words: string
}

/** The operator says which region's; the others have one. */
export interface ProgressAsked {
  year?: number | ''
  site?: string
  region?: string
}

function home(applicationNo: string): string {
  return `/reviews/${encodeURIComponent(applicationNo)}`
}

function post<T>(path: string, key: string, body: object = {}): Promise<T> {
  return http.send(path, { method: 'POST', body, key })
}

/** What is undefined, null or empty is left out. */
export function query(asked: object): string {
  const given = Object.entries(asked).filter(([, value]) => value !== undefined && value !== null && value !== '')
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`
}

export function readQueue(state: QueueName, filters: Filters = {}, cursor: string | null = null): Promise<Rows> {
  return http.send(`/reviews${query({ state, ...filters, limit: 20, cursor })}`)
}

export function readCounts(): Promise<Counts> {
  return http.send('/reviews/counts')
}

/** In a body, since addresses are logged. */
export function search(key: string, q: string, cursor: string | null = null): Promise<Rows> {
  return post('/reviews/searches', key, cursor === null ? { q } : { q, cursor })
}

export function claimNext(key: string, asked: Partial<NextClaim> = {}): Promise<Claim> {
  return post('/reviews/claims', key, asked)
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

/** What the screen had no room for is behind its `history_next`. */
export function readHistory(applicationNo: string, cursor: string | null): Promise<PageOf<HistoryLine>> {
  return http.send(`${home(applicationNo)}/history${query({ cursor })}`)
}

/** The whole ID number and phone; asking is on record. */
export function readIdNumber(applicationNo: string, key: string): Promise<IdNumber> {
  return post(`${home(applicationNo)}/id-number`, key)
}

export function putMark(applicationNo: string, item: string, mark: MarkAsked): Promise<Mark> {
  return http.send(`${home(applicationNo)}/items/${encodeURIComponent(item)}/mark`, { method: 'PUT', body: mark })
}

export function clearMark(applicationNo: string, item: string, revision: number): Promise<void> {
  const path = `${home(applicationNo)}/items/${encodeURIComponent(item)}/mark`
  return http.send(path + query({ revision }), { method: 'DELETE' })
}

/** The revision that the reviewer looked at goes along: a newer one is refused. */
export function returnItems(applicationNo: string, key: string, revision: number): Promise<Returned> {
  return post(`${home(applicationNo)}/returns`, key, { revision })
}

export function pass(
  applicationNo: string,
  key: string,
  revision: number,
  recommends: Recommendation | null = null,
): Promise<Moved> {
  return post(`${home(applicationNo)}/passes`, key, recommends === null ? { revision } : { revision, recommends })
}

export function sendBack(applicationNo: string, key: string, revision: number, words: string): Promise<Moved> {
  return post(`${home(applicationNo)}/send-backs`, key, { revision, words })
}

export function decide(
  applicationNo: string,
  key: string,
  revision: number,
  outcome: Opinion,
  words: string,
): Promise<Moved> {
  return post(`${home(applicationNo)}/decisions`, key, { revision, outcome, words })
}

export function secondLook(
  applicationNo: string,
  key: string,
  revision: number,
  agree: boolean,
  words: string,
): Promise<Moved> {
  return post(`${home(applicationNo)}/second-looks`, key, { revision, agree, words })
}

export function recordFalseMaterial(
  applicationNo: string,
  key: string,
  asked: FalseMaterialAsked,
): Promise<{ record_id: string }> {
  return post(`${home(applicationNo)}/false-material`, key, asked)
}

/** Takes back an act that nobody was told of yet. */
export function undo(applicationNo: string, actId: string): Promise<void> {
  return http.send(`${home(applicationNo)}/acts/${encodeURIComponent(actId)}`, { method: 'DELETE' })
}

export function passMany(
  key: string,
  applications: { application_no: string; revision: number }[],
): Promise<{ results: BulkResult[] }> {
  return post('/bulk-passes', key, { applications })
}

export function readReadiness(year: number | ''): Promise<Readiness> {
  return http.send(`/publications/readiness${query({ year })}`)
}

export function publish(
  key: string,
  region: string,
  year: number,
  effectiveAt: string | null = null,
): Promise<Publication> {
  return post(
    '/publications',
    key,
    effectiveAt === null ? { region, year } : { region, year, effective_at: effectiveAt },
  )
}

export function readPublications(cursor: string | null = null): Promise<PageOf<PublicationShown>> {
  return http.send(`/publications${query({ cursor })}`)
}

export function readPublication(id: string): Promise<PublicationShown> {
  return http.send(`/publications/${encodeURIComponent(id)}`)
}

export function readProgress(asked: ProgressAsked): Promise<Progress> {
  return http.send(`/progress${query(asked)}`)
}

export function readAudit(filters: AuditFilters, cursor: string | null = null): Promise<PageOf<AuditLine>> {
  return http.send(`/audit${query({ ...filters, limit: 50, cursor })}`)
}

export function readSeals(cursor: string | null = null): Promise<PageOf<Seal> & { unsealed: number }> {
  return http.send(`/audit/seals${query({ cursor })}`)
}

export function readMembers(cursor: string | null = null): Promise<PageOf<Member>> {
  return http.send(`/staff/members${query({ cursor, limit: 50 })}`)
}

export function openMember(key: string, asked: MemberAsked): Promise<Member> {
  return post('/staff/members', key, asked)
}

export function changeMember(staffId: string, key: string, change: MemberChange): Promise<Member> {
  return http.send(`/staff/members/${encodeURIComponent(staffId)}`, { method: 'PUT', body: change, key })
}

export function loginOptions(): Promise<LoginOptions> {
  return http.send('/staff/login-options', { anonymous: true })
}

export function beginSecondFactor(key: string): Promise<SecondFactorBegun> {
  return post('/staff/second-factor', key)
}

export function confirmSecondFactor(key: string, code: string): Promise<{ recovery_codes: string[] }> {
  return post('/staff/second-factor/confirmations', key, { code })
}

export function newRecoveryCodes(key: string, code: string): Promise<{ recovery_codes: string[] }> {
  return post('/staff/second-factor/recovery-codes', key, { code })
}

/** A file is written while it is sent: a region's takes its time. */
const FILE_PATIENCE_MS = 300_000

/** Fetches an export, and hands it to the browser as a file; a refusal is shown as any other. */
export async function download(path: string): Promise<void> {
  const answer = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(FILE_PATIENCE_MS) }).catch(() => {
    throw noAnswer()
  })
  if (!answer.ok) throw problemFrom(answer.status, await answer.text())
  const name = /filename="?([^";]+)"?/.exec(answer.headers.get('Content-Disposition') ?? '')?.[1]
  const url = URL.createObjectURL(await answer.blob())
  const link = document.createElement('a')
  link.href = url
  link.download = name ?? path.replace(/^.*\/|\?.*$/g, '')
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
