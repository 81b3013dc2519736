import type { Facts, Finding, Opinion, Text } from './common'

export interface CandidateSession {
  application_no: string
  csrf_token: string
}

export type ApplicationState = 'draft' | 'submitted' | 'returned' | 'published'
export type ImageStatus = 'checking' | 'good' | 'review' | 'rejected'

export interface Image {
  image_id: string
  status: ImageStatus
  size: number
  content_type: string
  uploaded_at: string
  findings: Finding[]
  url: string
}

export interface Uploaded {
  image_id: string
  item: string
  status: ImageStatus
  size: number
  sha256: string
  content_type: string
  uploaded_at: string
  url: string
}

export interface Item {
  item: string
  title: Text
  instruction: Text
  channel: 'upload' | 'onsite' | 'both'
  required: boolean
  offered: boolean
  /** A reviewer asked for it, whatever the rules say. */
  asked_for: boolean
  reason: Text | null
  min: number
  max: number
  locked: boolean
  images: Image[]
}

export interface Section {
  title: Text
  items: Item[]
}

export interface Missing {
  item: string
  title: Text
  problem: 'missing' | 'rejected' | 'unchanged'
  need: number
}

export interface FeedbackItem {
  item: string
  title: Text
  reason_code: string
  words: string
  image_ids: string[]
  open: boolean
}

export interface Feedback {
  feedback_id: string
  at: string
  round: number
  tier: 'site' | 'region' | 'system'
  items: FeedbackItem[]
}

export interface TimelineLine {
  seq: number
  at: string
  kind: string
  text: Text
}

export interface Application {
  application_no: string
  exam: Text
  region: { code: string; name: Text }
  site: { code: string; name: Text }
  year: number
  pack: { id: string; version: number }
  /** Null once the personal data was erased. */
  candidate: { name: string | null; id_number_masked: string | null; phone_masked: string | null }
  facts: Facts
  state: ApplicationState
  round: number
  revision: number
  locked: boolean
  uploads: boolean
  submitted_at: string | null
  can_submit: boolean
  missing: Missing[]
  sections: Section[]
  feedback: Feedback[]
  timeline: TimelineLine[]
  opinion: { opinion: Opinion; words: string; at: string } | null
}
