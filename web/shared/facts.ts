/** What a registration says, in words. Codes that are not known here are shown as they are. */
import type { Facts } from './api/common'
import { words } from './locale'

const labels = {
  level: '报考级别',
  upgrading: '执业助理医师报考执业医师',
  category: '报考类别',
  education: '报考学历',
  education_form: '学习形式',
  entered_on: '入学日期',
  graduated_on: '毕业日期',
  student_status: '在读情况',
  fresh_graduate: '应届毕业',
  upgraded_from_junior_college: '专升本',
  upgrade_entered_on: '升入本科日期',
  education_record_available: '学信网可查',
  diploma_lost: '毕业证书遗失',
  other_category_diplomas: '错位报考',
  degree_origin: '学历取得地',
  nationality: '国籍／地区',
  id_document: '证件类型',
  military: '军队人员',
  institution: '试用（执业）机构',
  institutions_count: '涉及机构数',
  institution_has_category: '机构有报考专业',
  registration_changed: '执业注册有变更',
  registration_years_short: '变更后年限不足',
  licence_lacks_first_registration: '证书未载首次注册',
  extra_exam: '短线医学加试',
  has_residency_certificate: '有规培证书',
  has_village_doctor_certificate: '有乡医证',
  rural_major: '农村医学专业',
  western_studying_tcm: '西学中',
  apprenticeship_province: '师承证书所属考区',
  review_passed_years: '已通过审核年份',
  first_application_within_3y: '三年内首次报考',
  carried_over_skill_pass: '技能考试成绩延用',
}

const values = {
  physician: '执业医师',
  assistant: '执业助理医师',
  clinical: '临床',
  dental: '口腔',
  public_health: '公共卫生',
  tcm: '中医',
  integrated: '中西医结合',
  ethnic: '民族医',
  rural_general: '乡村全科',
  graduate: '研究生',
  bachelor: '本科',
  junior_college: '专科',
  secondary: '中专',
  apprenticeship: '师承',
  special_skill: '确有专长',
  tcm_specialist: '中医专长',
  full_time: '全日制',
  adult: '成人教育',
  graduated: '已毕业',
  finishing_this_year: '当年毕业',
  mainland: '内地',
  hmt: '港澳台',
  foreign: '国外',
  id_card: '居民身份证',
  temporary_id: '临时身份证',
  military_card: '军官证',
  police_card: '警官证',
  hmt_permit: '港澳台居民证件',
  passport: '护照',
  serving: '现役军人',
  civilian_staff: '文职人员',
  tertiary_a: '三级甲等医院',
  cdc: '疾控中心',
  medical: '医疗机构',
  other: '非医疗机构',
  emergency: '院前急救',
  paediatrics: '儿科',
  yes: '是',
  no: '否',
  none: '无',
}

export type Labels = Record<keyof typeof labels, string>
export type Values = Record<keyof typeof values, string>

const label = words(labels, () => import('./facts.en').then(({ labels: en }) => ({ default: en })))
const value = words(values, () => import('./facts.en').then(({ values: en }) => ({ default: en })))

/** Shown whatever they say; the others only where they say something out of the ordinary. */
const ALWAYS = new Set(['level', 'category', 'education', 'education_form', 'graduated_on', 'institution'])
const ORDINARY: Facts = {
  student_status: 'graduated',
  education_record_available: true,
  degree_origin: 'mainland',
  nationality: 'mainland',
  id_document: 'id_card',
  military: 'none',
  institutions_count: 1,
  institution_has_category: true,
  extra_exam: 'none',
}

export function factValue(fact: Facts[string]): string {
  if (typeof fact === 'boolean') return value(fact ? 'yes' : 'no')
  if (fact === null) return value('none')
  if (Array.isArray(fact)) return fact.join(', ')
  return fact in values ? value(fact as keyof Values) : String(fact)
}

/** The facts worth reading, in the vocabulary's order. */
export function tellingFacts(facts: Facts): { fact: string; label: string; value: string }[] {
  return (Object.keys(labels) as (keyof Labels)[])
    .filter((fact) => fact in facts && isTelling(fact, facts[fact] ?? null))
    .map((fact) => ({ fact, label: label(fact), value: factValue(facts[fact] ?? null) }))
}

function isTelling(fact: string, said: Facts[string]): boolean {
  if (ALWAYS.has(fact)) return true
  if (said === null || said === ORDINARY[fact]) return false
  return !(said === false && ORDINARY[fact] === undefined) && !(Array.isArray(said) && said.length === 0)
}
