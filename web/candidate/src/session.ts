import type { CandidateSession } from '@shared/api/upload'
import { makeSession } from '@shared/session'

export const session = makeSession<CandidateSession>('/candidate/session', (mine) => mine.application_no)
