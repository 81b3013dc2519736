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
  const left = heading()
  history.pushState(null, '', href(path))
  route.value = path
  scrollTo(0, 0)
  focusNew(left)
}

function heading(): HTMLElement | null {
  return document.querySelector<HTMLElement>('main h1')
}

/** Who listens to the page or works by keys goes on at the new page's heading, as soon as its code has come. */
function focusNew(left: HTMLElement | null, frames = 120): void {
  requestAnimationFrame(() => {
    const found = heading()
    if (found === null || found === left) {
      if (frames > 0) return focusNew(left, frames - 1)
      document.getElementById('content')?.focus({ preventScroll: true })
      return
    }
    found.tabIndex = -1
    found.focus({ preventScroll: true })
  })
}

addEventListener('popstate', () => {
  const left = heading()
  const before = route.value
  route.value = read()
  if (route.value !== before) focusNew(left)
})
