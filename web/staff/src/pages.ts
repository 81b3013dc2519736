/** A list that comes page by page; pages may be short, or even empty, and still lead on. */
import { asProblem, type Problem } from '@shared/problem'
import { ref, shallowRef } from 'vue'
import type { PageOf } from './shapes'

const ROWS_WANTED = 20
/** A rare filter gives short pages: the list goes on by itself this often. */
const PAGES_AT_ONCE = 10

/** `begin` is asked at each beginning, and gives what reads the pages from then on: with the filters of that moment. */
export function usePages<T>(begin: () => (cursor: string | null) => Promise<PageOf<T>>) {
  const rows = shallowRef<readonly T[]>([])
  const next = ref<string | null>(null)
  const known = ref(false)
  const problem = ref<Problem | null>(null)
  /** Somebody went on reading: the list is not to be replaced under their eyes. */
  const paged = ref(false)
  /** While short pages come. */
  const searching = ref(false)
  let turn = 0
  let read = begin()

  /** From the beginning. `quietly`: what is shown stays until the new is there. */
  async function load(quietly = false): Promise<void> {
    turn += 1
    if (!quietly) {
      rows.value = []
      next.value = null
      known.value = false
    }
    paged.value = false
    read = begin()
    await collect(null, [])
  }

  async function more(): Promise<void> {
    turn += 1
    paged.value = true
    await collect(next.value, rows.value)
  }

  /** Something else in the list's place, such as what a search found; `further` reads what comes behind it. */
  function show(found: readonly T[], leadsOn: string | null = null, further: typeof read | null = null): void {
    turn += 1
    rows.value = found
    next.value = leadsOn
    known.value = true
    searching.value = false
    problem.value = null
    if (further === null) return
    read = further
    if (leadsOn === null || found.length >= ROWS_WANTED) return
    searching.value = true
    void collect(leadsOn, found)
  }

  async function collect(from: string | null, before: readonly T[]): Promise<void> {
    const mine = turn
    let found: readonly T[] = []
    let cursor = from
    problem.value = null
    try {
      for (let page = 1; page <= PAGES_AT_ONCE; page += 1) {
        const got = await read(cursor)
        if (mine !== turn) return
        found = [...found, ...got.items]
        cursor = got.next
        searching.value = cursor !== null && found.length < ROWS_WANTED && page < PAGES_AT_ONCE
        if (found.length > 0 || !searching.value) {
          rows.value = [...before, ...found]
          next.value = cursor
          known.value = true
        }
        if (!searching.value) return
      }
    } catch (error) {
      if (mine !== turn) return
      searching.value = false
      problem.value = asProblem(error)
    }
  }

  return { rows, next, known, problem, paged, searching, load, more, show }
}
