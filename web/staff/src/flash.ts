/** What was just done, said on the page that comes after it. */
import { ref } from 'vue'

export const flash = ref<string | null>(null)
