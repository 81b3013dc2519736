/** Keys that do something on the page; `?` shows them all. */
import { computed, onScopeDispose, shallowReactive } from 'vue'

export interface Key {
  /** As `KeyboardEvent.key` has it: `n`, `?`, `ArrowLeft`. A letter is meant in either case. */
  key: string
  /** What it does, in the reader's language. */
  words: () => string
  run: (event: KeyboardEvent) => void
  /** Whether it does anything at this moment; the help shows it all the same. */
  when?: () => boolean
}

export interface KeyGroup {
  /** What the keys are for, as the help's heading. */
  heading: () => string
  keys: readonly Key[]
}

const groups = shallowReactive<KeyGroup[]>([])

/** What is registered now, the page's before the shell's. */
export const keyGroups = computed(() => groups.toReversed())

const SIGNS: Record<string, string> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
  Enter: 'Enter',
  ' ': 'Space',
}

/** A key as it is written on the keyboard. */
export function keySign(key: string): string {
  return SIGNS[key] ?? (key.length === 1 ? key.toUpperCase() : key)
}

/** Registers keys until the component goes. Of two with the same key the later one is heard, if it may run now. */
export function useKeys(keys: readonly Key[], heading: () => string): void {
  const group: KeyGroup = { heading, keys }
  groups.push(group)
  onScopeDispose(() => groups.splice(groups.indexOf(group), 1))
}

/** Keys are letters while somebody types, and in a dialog they are the dialog's. */
function isTyping(target: EventTarget | null): boolean {
  if (document.querySelector('dialog[open], .el-overlay:not([style*="display: none"]) [aria-modal="true"]')) return true
  if (!(target instanceof HTMLElement)) return false
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button', 'submit'].includes(target.type)
  return target.isContentEditable || target.closest('textarea, select, [role="combobox"], [role="listbox"]') !== null
}

function isMeant(key: Key, event: KeyboardEvent): boolean {
  const same = key.key.length === 1 ? key.key.toLowerCase() === event.key.toLowerCase() : key.key === event.key
  return same && (key.when?.() ?? true)
}

/** Enter and the space bar press the button that has the focus. */
function pressesButton(event: KeyboardEvent): boolean {
  const onControl = event.target instanceof HTMLElement && event.target.closest('button, a, summary, input') !== null
  return onControl && (event.key === 'Enter' || event.key === ' ')
}

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  if (isTyping(event.target) || pressesButton(event)) return
  for (const group of keyGroups.value) {
    const found = group.keys.find((key) => isMeant(key, event))
    if (found === undefined) continue
    event.preventDefault()
    found.run(event)
    return
  }
})
