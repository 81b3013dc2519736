/** Something that a person does once, however often the network makes us send it. */
import { computed, ref } from 'vue'
import { asProblem, type Problem } from './problem'

export function newId(): string {
  return crypto.randomUUID()
}

/**
 * Runs `work` with an Idempotency-Key that stays the same until an answer is known, so that pressing the button again
 * after a lost connection does nothing twice. `busy` and `problem` are for the button beside it.
 */
export function useAction<Args extends unknown[]>(work: (key: string, ...args: Args) => Promise<void>) {
  const running = ref(false)
  const problem = ref<Problem | null>(null)
  let key = newId()

  async function run(...args: Args): Promise<boolean> {
    if (running.value) return false
    running.value = true
    problem.value = null
    try {
      await work(key, ...args)
      key = newId()
      return true
    } catch (error) {
      problem.value = asProblem(error)
      if (!problem.value.passes) key = newId()
      return false
    } finally {
      running.value = false
    }
  }

  return { run, problem, busy: computed(() => running.value) }
}
