import type { Facts, Finding, Opinion, Text } from './common'

export type Role = 'site_reviewer' | 'region_reviewer' | 'region_admin'

export interface StaffSession {
  staff_id: string
  display_name: string
  role: Role
  region: string
  site: string | null
  csrf_token: string
}

export type QueueTab = 'waiting' | 'mine' | 'returned' | 'decided'

export interface QueueLine {
  application_no: string
  candidate_masked: { name: string; id_number: string }
  site: string
  category: string
  round: number
  submitted_at: string
  state: string
  claimed: boolean
  claimed_by_me: boolean
  resubmitted: boolean
}

export interface Queue {
  items: QueueLine[]
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
  image_ids: string[] | null
}

export interface ReviewImage {
  image_id: string
  verdict: 'checking' | 'accept' | 'review' | 'reject' | 'gone' | null
  reason: string | null
  findings: Finding[]
  uploaded_at: string
  round: number
  url: string
  /** Part of what is handed in now; others were replaced earlier. */
  current: boolean
}

export interface ReviewItem {
  item: string
  title: Text
  required: boolean
  offered: boolean
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
  tier: string
  act: string
  by: string
  detail: unknown
}

export interface Review {
  application_no: string
  state: string
  round: number
  revision: number
  year?: number
  region: string
  site: string
  facts: Facts
  candidate: { name: string; id_number_masked: string; phone_masked: string }
  submitted_at: string
  claimed_by_me: boolean
  claimed_until: string | null
  tier: 'site' | 'region' | null
  reasons: Reason[]
  sections: ReviewSection[]
  history: HistoryLine[]
}

export interface Decision {
  outcome: Opinion
  words: string
}
