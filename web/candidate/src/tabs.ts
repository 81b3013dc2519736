/** The tabs, in the order in which the exam's candidates know them. */
export const TABS = [
  { path: '/', name: 'home' },
  { path: '/registration', name: 'registration' },
  { path: '/photo', name: 'photo' },
  { path: '/scores', name: 'scores' },
  { path: '/tests', name: 'tests' },
  { path: '/payments', name: 'payments' },
  { path: '/profile', name: 'profile' },
] as const

export type PageName = (typeof TABS)[number]['name'] | 'messages'

/** What stands at an address; an unknown one shows the first tab. */
export function pageAt(path: string): PageName {
  if (path === '/messages') return 'messages'
  return TABS.find((tab) => tab.path === path)?.name ?? 'home'
}
