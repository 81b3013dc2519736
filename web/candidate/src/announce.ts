/** What a screen reader says when something changes by itself: the page holds one polite live region. */
import { ref } from 'vue'

export const announcement = ref('')

export function announce(text: string): void {
  // The same words twice in a row are read only if they differ.
  announcement.value = announcement.value === text ? `${text}\u00a0` : text
}
