/** What upload's API gives, under the names that the pages use. `make web-types` writes what they stand for. */
import type { Facts } from './common'
import type { components } from './generated/upload'

type Shapes = components['schemas']

export type CandidateSession = Shapes['SessionOpened']
export type WindowName = 'registration' | 'upload' | 'change' | 'review' | 'publishing' | 'payment'
export type Window = Shapes['WindowShown']
export type Image = Shapes['ImageShown']
export type ImageStatus = Image['status']
export type Uploaded = Shapes['StoredImage']
export type Item = Shapes['ItemShown']
export type Section = Shapes['SectionShown']
export type Missing = Shapes['MissingShown']
export type FeedbackItem = Shapes['FeedbackItem']
export type Feedback = Shapes['FeedbackShown']
export type TimelineLine = Shapes['TimelineEntry']
export type OnSite = Shapes['OnSiteShown']
export type Contact = Shapes['ContactShown']
export type Supplement = Shapes['SupplementShown']
export type PhotoCheck = Shapes['PhotoCheckShown']
export type PhotoChecks = Shapes['PhotoChecksShown']
export type PhotoFinding = Shapes['PhotoFindingShown']
export type PhotoMark = Shapes['MarkShown']
export type FinishedPhoto = Shapes['FinishedPhotoShown']
export type PhotoRule = Shapes['PhotoRuleShown']
export type RegisteredPhoto = Shapes['RegisteredPhoto']

/** The document knows neither the facts' values nor the windows' names. */
export type Application = Omit<Shapes['ApplicationPage'], 'facts' | 'windows'> & {
  facts: Facts
  windows: Partial<Record<WindowName, Window>>
}
export type ApplicationState = Application['state']

export type Captcha = Shapes['CaptchaMade']
export type CaptchaAnswer = Shapes['CaptchaAnswer']
export type CandidateSessions = Shapes['SessionsShown']
export type CodeSent = Shapes['CodeSent']
