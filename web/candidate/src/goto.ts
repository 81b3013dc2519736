/** Brings an item of the checklist into view and the focus to it. */
export function itemId(item: string): string {
  return `item-${item}`
}

export function goToItem(item: string): void {
  const card = document.getElementById(itemId(item))
  if (card === null) return
  card.closest('details')?.setAttribute('open', '')
  card.scrollIntoView({ behavior: 'smooth', block: 'start' })
  card.focus({ preventScroll: true })
}
