/** What a reason's words leave open for the reviewer, such as `{page}`: found, shown, and gone to by key. */
import { tOr } from '../words'

export interface Blank {
  name: string
  from: number
  to: number
}

const OPEN = /\{([a-z_]{1,30})\}/g

export function blanksOf(words: string): Blank[] {
  return [...words.matchAll(OPEN)].map((found) => ({
    name: found[1] ?? '',
    from: found.index,
    to: found.index + found[0].length,
  }))
}

/** A reason to choose from: with the item's title, and … where the reviewer writes. */
export function choiceWords(words: string, title: string): string {
  return words.replaceAll('{item}', title).replace(OPEN, '…')
}

/** What is to be filled in, each once, in the reviewer's language. */
export function namesOf(blanks: readonly Blank[]): string {
  const names = new Set(blanks.map(({ name }) => name))
  return [...names].map((name) => `{${name}} ${tOr(`blank_${name}`, '')}`.trim()).join('、')
}

/** The first blank from a place on, or the last before it. */
export function blankFrom(blanks: readonly Blank[], place: number): Blank | undefined {
  return blanks.find(({ from }) => from >= place)
}

export function blankBefore(blanks: readonly Blank[], place: number): Blank | undefined {
  return blanks.findLast(({ to }) => to <= place)
}
