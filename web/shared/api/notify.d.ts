import type { Text } from './common'

export interface Notice {
  notice_id: string
  about: string
  title: Text
  text: Text
  at: string
  read: boolean
}

export interface Inbox {
  items: Notice[]
  unread: number
  next: string | null
}
