import type { Facts, Finding, Opinion, Text } from './common'

export type Role = 'site_reviewer' | 'region_reviewer' | 'region_admin'
export type Tier = 'site' | 'region'

export interface StaffSession {
  staff_id: string
  display_name: string
  role: Role
  region: string
  site: string | null
  csrf_token: string
}

export type QueueName = 'waiting' | 'mine' | 'returned' | 'decided'
export type ReviewState = 'submitted' | 'at_site' | 'at_region' | 'returned' | 'decided'

export interface QueueRow {
  application_no: string
  candidate_masked: { name: string; id_number: string }
  site: string
  category: string
  round: number
  submitted_at: string
  state: ReviewState
  claimed: boolean
  claimed_by_me: boolean
  resubmitted: boolean
}

export interface Queue {
  items: QueueRow[]
  next: string | null
}

export interface Claim {
  application_no: string
  claimed_until: string
}

export interface Reason {
  code: string
  words: Text
}

export interface Mark {
  mark: 'accept' | 'return'
  reason_code: string | null
  words: string | null
  image_ids: string[]
}

export interface ReviewImage {
  image_id: string
  verdict: string
  reason: string | null
  findings: Finding[]
  uploaded_at: string
  size: number
  content_type: string
  round: number
  /** Part of what is handed in now; others were replaced earlier. */
  current: boolean
  url: string
}

export interface ReviewItem {
  item: string
  title: Text
  instruction: Text
  channel: 'upload' | 'onsite' | 'both'
  handed_in: boolean
  /** By the candidate, since the round before. */
  changed: boolean
  mark: Mark | null
  images: ReviewImage[]
}

export interface ReviewSection {
  title: Text
  items: ReviewItem[]
}

export interface HistoryLine {
  at: string
  tier: Tier | null
  act: string
  /** Null where it was the candidate or the system. */
  by: string | null
  round: number
  detail: Record<string, unknown>
}

export interface NoticeLine {
  at: string
  about: string
  channel: string
  outcome: string
  round: number
}

export interface Review {
  application_no: string
  state: ReviewState
  tier: Tier
  round: number
  revision: number
  year: number
  region: string
  region_name: Text
  site: string
  site_name: Text | null
  route: string
  facts: Facts
  candidate: { name: string; id_number_masked: string; phone_masked: string }
  submitted_at: string
  claimed: boolean
  claimed_by_me: boolean
  claimed_until: string | null
  opinion: Opinion | null
  published_at: string | null
  reasons: Reason[]
  sections: ReviewSection[]
  notices: NoticeLine[]
  history: HistoryLine[]
}

export interface Published {
  publication_id: string
  published: number
  effective_at: string
}
