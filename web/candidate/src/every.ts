/** Asks again and again while the page is looked at; the next round begins when the last has ended. */
import { onScopeDispose } from 'vue'

/** `pause` gives the milliseconds until the next round; `work` says whether it came through. */
export function useEvery(work: () => Promise<boolean>, pause: () => number): { soon: () => void } {
  let timer = 0
  let running = false
  let failures = 0
  let over = false

  async function turn(): Promise<void> {
    if (running || over || document.hidden) return
    running = true
    clearTimeout(timer)
    failures = (await work()) ? 0 : failures + 1
    running = false
    plan()
  }

  function plan(): void {
    if (over || running) return
    clearTimeout(timer)
    // A service that is away is not asked harder.
    timer = window.setTimeout(turn, Math.min(pause() * 2 ** Math.min(failures, 4), Math.max(pause(), 10_000)))
  }

  function onVisible(): void {
    if (!document.hidden) void turn()
  }

  document.addEventListener('visibilitychange', onVisible)
  window.addEventListener('online', onVisible)
  onScopeDispose(() => {
    over = true
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', onVisible)
    window.removeEventListener('online', onVisible)
  })
  void turn()
  return { soon: plan }
}
