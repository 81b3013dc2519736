/** Names of the region's sites, asked for when somebody is about to choose one. */
import { say } from '@shared/locale'
import { computed, shallowRef } from 'vue'
import { readProgress } from './api'
import type { SiteCounts } from './shapes'

const found = shallowRef<readonly SiteCounts[]>([])
let asked = false

/** By code. */
export const siteNames = computed(() => new Map(found.value.map(({ site, name }) => [site, say(name)])))

export function foundSites(sites: readonly SiteCounts[]): void {
  if (sites.length > found.value.length) found.value = sites
}

export async function findSites(): Promise<void> {
  if (asked) return
  asked = true
  try {
    foundSites((await readProgress({})).by_site)
  } catch {
    asked = false // a code can be typed, too
  }
}

export function siteLabel(code: string): string {
  return [code, siteNames.value.get(code)].filter(Boolean).join(' ')
}
