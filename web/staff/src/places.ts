/** Every page of the console has an address, and a role that it is for. */
import type { QueueName, Role } from '@shared/api/review'
import { route } from '@shared/route'
import { computed } from 'vue'
import { role, session } from './session'

export type PlaceName = 'queue' | 'progress' | 'publish' | 'members' | 'audit' | 'account'

export type Place = { name: PlaceName } | { name: 'list'; list: QueueName } | { name: 'application'; no: string }

const READERS: Role[] = ['site_reviewer', 'region_reviewer', 'region_admin', 'national_operator']

/** In the order of the header, with who goes there; one's own account is reached by one's name. */
const FOR: Record<Exclude<PlaceName, 'account'>, Role[]> = {
  queue: READERS,
  progress: READERS,
  publish: ['region_admin'],
  members: ['region_admin'],
  audit: ['auditor'],
}

export const WAITING: QueueName[] = ['waiting', 'new', 'resubmitted', 'sent_back', 'second_look', 'onsite']
const LISTS: QueueName[] = [...WAITING, 'mine', 'returned', 'decided', 'overdue', 'attention', 'unfinished']

export const addressOf = (place: PlaceName): string => (place === 'queue' ? '/' : `/${place}`)
export const addressOfList = (list: QueueName): string => (list === 'waiting' ? '/' : `/lists/${list}`)
export const addressOfApplication = (no: string): string => `/applications/${encodeURIComponent(no)}`

/** What the header leads to. */
export const places = computed(() =>
  (Object.keys(FOR) as (keyof typeof FOR)[]).filter((name) => role.value !== null && FOR[name].includes(role.value)),
)

/** The page at the address, or the first that one's role has where it has not that one. */
export const place = computed<Place>(() => {
  if (session.current.value?.must_enrol) return { name: 'account' }
  const [first = '', second = ''] = route.value.split('/').slice(1)
  if (first === 'account') return { name: 'account' }
  if (places.value.includes('queue')) {
    if (first === 'applications' && second !== '') return { name: 'application', no: decodeURIComponent(second) }
    if (first === 'lists' && (LISTS as string[]).includes(second)) return { name: 'list', list: second as QueueName }
  }
  const asked = places.value.find((name) => addressOf(name) === `/${first}`)
  return { name: asked ?? places.value[0] ?? 'account' }
})

/** Where the header shows that one is. */
export const section = computed(() =>
  place.value.name === 'list' || place.value.name === 'application' ? 'queue' : place.value.name,
)
