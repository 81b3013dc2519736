/** What notify's API gives, under the names that the pages use. */
import type { components } from './generated/notify'

export type Notice = components['schemas']['NoticeOut']
export type Inbox = components['schemas']['InboxOut']
