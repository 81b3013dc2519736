/** The review screen's keys: a whole decision needs no mouse. */
import { useKeys, type Key } from '../keys'
import { myTier } from '../session'
import { t } from '../words'
import { backToList } from './acts'
import type { Screen } from './screen'

export function useReviewKeys(
  { store, view, acts, marking }: Screen,
  toggles: { places(): void; notes(): void },
): void {
  const { mine, items, chosen, item } = store
  const second = () => store.review.value?.proposed != null
  const canDecide = () => mine.value && myTier.value === 'region' && !second()

  function toItem(by: 1 | -1): void {
    const shown = items.value.filter((each) => each.images.length > 0 || each.mark !== null)
    const at = shown.findIndex((each) => each.item === chosen.value)
    const next = shown[at < 0 ? 0 : at + by]
    if (next) store.choose(next)
  }

  function along(right: number, down: number, otherwise: () => void): void {
    if (view.zoomed.value) view.pan(right, down)
    else otherwise()
  }

  const key = (name: string, words: () => string, run: Key['run'], when?: () => boolean): Key =>
    when ? { key: name, words, run, when } : { key: name, words, run }

  useKeys(
    [
      key(
        'ArrowRight',
        () => t('key_nextImage'),
        () => along(1, 0, () => store.step(1)),
      ),
      key(
        'ArrowLeft',
        () => t('key_previousImage'),
        () => along(-1, 0, () => store.step(-1)),
      ),
      key(
        'ArrowDown',
        () => t('key_down'),
        () => along(0, 1, () => toItem(1)),
      ),
      key(
        'ArrowUp',
        () => t('key_up'),
        () => along(0, -1, () => toItem(-1)),
      ),
      key(
        '+',
        () => t('zoomIn'),
        () => view.zoomBy(1.25),
      ),
      key(
        '=',
        () => t('zoomIn'),
        () => view.zoomBy(1.25),
      ),
      key(
        '-',
        () => t('zoomOut'),
        () => view.zoomBy(0.8),
      ),
      key(
        '0',
        () => t('fit'),
        () => view.fit(),
      ),
      key(
        '1',
        () => t('actual'),
        () => view.actual(),
      ),
      key(
        'r',
        () => t('key_rotate'),
        (event) => view.turn(event.shiftKey),
      ),
      key(
        'v',
        () => t('comparePrevious'),
        () => store.compare('previous'),
        () => store.previous.value.length > 0,
      ),
      key(
        'f',
        () => t('comparePhoto'),
        () => store.compare('photo'),
        () => store.photo.value !== null,
      ),
      key(
        'w',
        () => t('showPlaces'),
        () => toggles.places(),
      ),
      key(
        'h',
        () => t('key_notes'),
        () => toggles.notes(),
      ),
    ],
    () => t('viewer'),
  )
  useKeys(
    [
      key(
        'p',
        () => t('key_pass'),
        () => acts.ask(myTier.value === 'site' ? 'pass' : 'decide'),
        () => mine.value && !second(),
      ),
      key(
        't',
        () => t('key_return'),
        () => acts.ask('return'),
        () => mine.value && store.toReturn.value.length > 0,
      ),
      key(
        'd',
        () => t('key_against'),
        () => acts.ask(myTier.value === 'site' ? 'pass' : 'decide', 'rejected'),
        () => mine.value && !second(),
      ),
      key(
        's',
        () => t('sendBack'),
        () => acts.ask('sendBack'),
        canDecide,
      ),
      key(
        'y',
        () => t('agree'),
        () => acts.ask('agree'),
        () => mine.value && second(),
      ),
      key(
        'b',
        () => t('disagree'),
        () => acts.ask('disagree'),
        () => mine.value && second(),
      ),
      key(
        'm',
        () => t('falseMaterial'),
        () => acts.ask('falseMaterial'),
        () => mine.value,
      ),
      key(
        'c',
        () => t('claim'),
        () => void acts.claiming.run(),
        () => store.claimable.value,
      ),
      key(
        'l',
        () => t('release'),
        () => void acts.releasing.run(),
        () => mine.value,
      ),
      key('q', () => t('backToQueue'), backToList),
    ],
    () => t('key_whole'),
  )
  useKeys(
    [
      key(
        'a',
        () => t('key_accept'),
        (event) => marking.acceptChosen(event.shiftKey),
        () => mine.value,
      ),
      key(
        'x',
        () => t('key_returnItem'),
        () => item.value && store.write(item.value),
        () => mine.value && item.value !== null,
      ),
      key(
        'z',
        () => t('key_clear'),
        marking.clearChosen,
        () => mine.value,
      ),
      key(
        'n',
        () => t('key_nextUnlooked'),
        () => void store.toNextUnlooked(),
      ),
      key(
        'j',
        () => t('key_nextItem'),
        () => toItem(1),
      ),
      key(
        'k',
        () => t('key_previousItem'),
        () => toItem(-1),
      ),
      key(
        'o',
        () => t('askForAnother'),
        () => acts.ask('askFor'),
        () => mine.value,
      ),
    ],
    () => t('items'),
  )
}
