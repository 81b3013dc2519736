/** What review's API gives, under the names that the pages use. `make web-types` writes what they stand for. */
import type { Facts, Finding, Opinion } from './common'
import type { components } from './generated/review'

type Shapes = components['schemas']

export type StaffSession = Shapes['Session']
export type Role = StaffSession['role']
export type Tier = 'site' | 'region'
export type Route = 'online' | 'onsite' | 'both'
export type WaitingName = Shapes['NextClaim']['state']
export type QueueName = WaitingName | 'mine' | 'returned' | 'decided' | 'overdue' | 'attention' | 'unfinished'

export type ReviewState = 'submitted' | 'at_site' | 'at_region' | 'returned' | 'decided' | 'withdrawn' | 'lapsed'

/** Where the document says only that something is a string, its values are named here. */
type Narrowed<Shape, Known> = Omit<Shape, keyof Known> & Known

export type QueueRow = Narrowed<Shapes['Row'], { state: ReviewState; route: Route }>
export type Queue = Narrowed<Shapes['Page'], { items: QueueRow[] }>
export type Claim = Shapes['Claimed']
export type Reason = Shapes['Reason']
export type Mark = Shapes['MarkShown']
export type WhyReplaced = Shapes['WhyReplaced']
export type Replaced = Shapes['Replaced']
export type ReadText = Shapes['ReadTextShown']
export type Outcome = ReadText['outcome']
export type Reading = Shapes['ReadingShown']
export type Compared = Shapes['ComparedShown']
export type Copy = Shapes['CopyShown']
export type ReviewImage = Narrowed<Shapes['ImageShown'], { findings: Finding[] }>
export type ReviewItem = Narrowed<Shapes['ItemShown'], { images: ReviewImage[] }>
export type ReviewSection = Narrowed<Shapes['SectionShown'], { items: ReviewItem[] }>
export type HistoryLine = Shapes['Line']
export type NoticeLine = Shapes['NoticeShown']
export type Published = Shapes['Published']
export type Review = Narrowed<
  Shapes['Detail'],
  { state: ReviewState; route: Route; facts: Facts; opinion: Opinion | null; sections: ReviewSection[] }
>
