/** A text that people read: Chinese first, English beside it. */
export interface Text {
  zh: string
  en: string
}

/** What an automatic check noticed about an image. */
export interface Finding {
  code: string
  severity: 'reject' | 'review' | 'info'
  measured: number | null
  limit: number | null
  /** Of the other image that it speaks of. */
  other_item?: string | null
  words?: Text | null
}

export type Facts = Record<string, string | number | boolean | null | (string | number)[]>

export type Opinion = 'approved' | 'rejected' | 'disqualified'
