import type { StaffSession, Tier } from '@shared/api/review'
import { makeSession } from '@shared/session'
import { computed } from 'vue'

export const session = makeSession<StaffSession>('/staff/session', (mine) => mine.staff_id)

export const myTier = computed<Tier>(() => (session.current.value?.role === 'site_reviewer' ? 'site' : 'region'))
