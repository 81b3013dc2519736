/** The exam year of the applications that were looked at last: what somebody is likely to publish. */
let year = new Date().getFullYear()

export function sawYear(seen: number): void {
  year = seen
  try {
    localStorage.setItem('baoshen-year', String(seen))
  } catch {
    // then it holds for this page only
  }
}

export function lastYear(): number {
  try {
    const kept = Number(localStorage.getItem('baoshen-year'))
    if (Number.isInteger(kept) && kept >= 2000) return kept
  } catch {
    // as above
  }
  return year
}
