/** What was just done and is not told yet: for a few seconds it can be undone, on whatever page one is by then. */
import { asProblem, type Problem } from '@shared/problem'
import { computed, ref, shallowReactive, shallowRef } from 'vue'
import * as api from './api'
import type { Pending } from './shapes'

/** Longer than any pack lets an act wait; a clock that is wrong on this side shows no more than that. */
const LONGEST_MS = 10_000
/** How long it is said that something is undone, or could not be. */
const SAID_MS = 6_000

export interface Undoable {
  applicationNo: string
  actId: string
  /** What was done, in the reader's language. */
  words: () => string
  until: number
}

const acts = shallowReactive<Undoable[]>([])
const now = ref(Date.now())
let clock: number | undefined

export const undoables = computed(() => acts.filter((act) => act.until > now.value))
export const undoProblem = shallowRef<Problem | null>(null)
export const undone = shallowRef<string | null>(null)

function tick(): void {
  now.value = Date.now()
  for (const act of acts.filter((each) => each.until <= now.value)) drop(act)
  if (acts.length === 0) {
    clearInterval(clock)
    clock = undefined
  }
}

function drop(act: Undoable): void {
  const at = acts.indexOf(act)
  if (at >= 0) acts.splice(at, 1)
}

export function secondsLeft(act: Undoable): number {
  return Math.max(0, Math.ceil((act.until - now.value) / 1000))
}

/** Offers to undo an act for as long as it is not told. */
export function offerUndo(applicationNo: string, pending: Pending | null, words: () => string): void {
  undoProblem.value = null
  undone.value = null
  now.value = Date.now()
  if (pending === null || acts.some((act) => act.actId === pending.act_id)) return
  const left = Math.min(LONGEST_MS, Date.parse(pending.undo_until) - now.value)
  if (!(left > 0)) return
  acts.push({ applicationNo, actId: pending.act_id, words, until: now.value + left })
  clock ??= window.setInterval(tick, 250)
}

function hush(): void {
  setTimeout(() => {
    undone.value = null
    undoProblem.value = null
  }, SAID_MS)
}

/** Takes an act back; true when it is undone. */
export async function undo(act: Undoable): Promise<boolean> {
  drop(act)
  undoProblem.value = null
  try {
    await api.undo(act.applicationNo, act.actId)
    undone.value = act.applicationNo
    return true
  } catch (error) {
    const problem = asProblem(error)
    undoProblem.value = problem
    if (problem.passes && act.until > Date.now()) acts.push(act)
    return false
  } finally {
    hush()
  }
}
