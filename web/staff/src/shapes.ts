/** What review's API takes and gives beyond one application and its lists. */
import type { components } from '@shared/api/generated/review'
import type { QueueRow } from '@shared/api/review'

type Schemas = components['schemas']

export type Pending = Schemas['Pending']
export type Moved = Schemas['Moved']
export type Returned = Schemas['Returned']

export interface Filters {
  site?: string
  category?: string
  education?: string
  finding?: string
  waiting_since?: string
}

export type Counts = Schemas['Counts']

export type NextClaim = Schemas['NextClaim']

export interface Rows {
  items: QueueRow[]
  next: string | null
}

export type BulkResult = Schemas['BulkResult']

export type IdNumber = Schemas['IdNumber']

export type LoginOptions = Schemas['LoginOptions']

export type SecondFactorBegun = Schemas['SecondFactorBegun']

export type Member = Schemas['Member']

export type MemberAsked = Schemas['NewMember']

export type MemberChange = Partial<Schemas['MemberChange']>

export type Readiness = Schemas['Readiness']

export type Publication = Schemas['Published']

export type PublicationShown = Schemas['PublicationShown']

export interface AuditFilters {
  staff_id?: string
  act?: string
  application_no?: string
  outcome?: 'done' | 'refused'
  since?: string
  until?: string
}

export type AuditLine = Schemas['AuditLine']

export type Seal = Schemas['Seal']

export interface PageOf<T> {
  items: T[]
  next: string | null
}

export type SiteCounts = Schemas['SiteCounts']

export type Progress = Schemas['Progress']
