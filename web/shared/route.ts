/** The address bar as state. Two or three pages need no router library. */
import { ref } from 'vue'

const base = import.meta.env.BASE_URL

function read(): string {
  return location.pathname.startsWith(base) ? `/${location.pathname.slice(base.length)}` : '/'
}

/** The page's address below the app's base, such as `/messages`. */
export const route = ref(read())

export function href(path: string): string {
  return base + path.slice(1)
}

export function go(path: string): void {
  if (path === route.value) return
  history.pushState(null, '', href(path))
  route.value = path
  scrollTo(0, 0)
  // Who listens to the page or works by keys goes on at the new page's beginning.
  requestAnimationFrame(() => document.getElementById('content')?.focus({ preventScroll: true }))
}

addEventListener('popstate', () => (route.value = read()))
