import type { Role, StaffSession, Tier } from '@shared/api/review'
import { makeSession } from '@shared/session'
import { computed } from 'vue'
import { forgetDrafts } from './review/drafts'

const made = makeSession<StaffSession>('/staff/session', (mine) => mine.staff_id)

/** Whoever logs out leaves no words behind; whoever's session ended finds them again. */
async function logOut(): Promise<void> {
  forgetDrafts()
  await made.logOut()
}

export const session = { ...made, logOut }

export const role = computed<Role | null>(() => session.current.value?.role ?? null)

/** Those who only read look at things as the region does. */
export const myTier = computed<Tier>(() => (role.value === 'site_reviewer' ? 'site' : 'region'))

/** Claims, marks and decides. */
export const reviews = computed(() => role.value !== null && !['national_operator', 'auditor'].includes(role.value))
