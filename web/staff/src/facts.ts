import { factValue } from '@shared/facts'

/** What applications are narrowed by: codes of registrations, in the order in which they are offered. */
const CATEGORIES = ['clinical', 'dental', 'public_health', 'tcm', 'integrated', 'ethnic', 'rural_general']
const EDUCATIONS = [
  'graduate',
  'bachelor',
  'junior_college',
  'secondary',
  'apprenticeship',
  'special_skill',
  'tcm_specialist',
]

const withWords = (codes: readonly string[]) => codes.map((code) => [code, factValue(code)] as const)

/** Choices with their words, in the language of the page. */
export const categories = () => withWords(CATEGORIES)
export const educations = () => withWords(EDUCATIONS)
