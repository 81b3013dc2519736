/** What applications are narrowed by: codes of registrations, in the order in which they are offered. */
export const CATEGORIES = ['clinical', 'dental', 'public_health', 'tcm', 'integrated', 'ethnic', 'rural_general']
export const EDUCATIONS = [
  'graduate',
  'bachelor',
  'junior_college',
  'secondary',
  'apprenticeship',
  'special_skill',
  'tcm_specialist',
]
