/** The service's time: windows and deadlines go by it, whatever the phone's clock says. */
import { computed, onScopeDispose, ref } from 'vue'

const TICK_MS = 15_000

/** Ahead of the phone's steady clock, in milliseconds. */
let ahead: number | null = null
const now = ref(0)

function look(): void {
  now.value = ahead === null ? Date.now() : performance.now() + ahead
}

/** Takes over what the service says its time is. */
export function setClock(iso: string): void {
  ahead = Date.parse(iso) - performance.now()
  look()
}

export interface Left {
  days: number
  hours: number
  minutes: number
  over: boolean
}

/** The present by the service's clock, as it goes on, and how long it is until a moment. */
export function useClock() {
  look()
  const timer = window.setInterval(look, TICK_MS)
  onScopeDispose(() => clearInterval(timer))

  function left(iso: string): Left {
    const minutes = Math.floor((Date.parse(iso) - now.value) / 60_000)
    const over = minutes < 0
    const rest = Math.max(0, minutes)
    return { days: Math.floor(rest / 1440), hours: Math.floor(rest / 60) % 24, minutes: rest % 60, over }
  }

  return { now: computed(() => now.value), left }
}
