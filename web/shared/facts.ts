/** What a registration says, in words. Codes that are not known here are shown as they are. */
import type { Facts, Text } from './api/common'

type Pair = readonly [zh: string, en: string]

const LABELS: Record<string, Pair> = {
  level: ['报考级别', 'Level'],
  upgrading: ['执业助理医师报考执业医师', 'Licensed assistant going up'],
  category: ['报考类别', 'Category'],
  education: ['报考学历', 'Education'],
  education_form: ['学习形式', 'Form of study'],
  entered_on: ['入学日期', 'Entered'],
  graduated_on: ['毕业日期', 'Graduated'],
  student_status: ['在读情况', 'Student status'],
  fresh_graduate: ['应届毕业', 'Fresh graduate'],
  upgraded_from_junior_college: ['专升本', 'Upgraded from junior college'],
  upgrade_entered_on: ['升入本科日期', 'Entered the bachelor’s part'],
  education_record_available: ['学信网可查', 'Record on CHSI'],
  diploma_lost: ['毕业证书遗失', 'Diploma lost'],
  other_category_diplomas: ['错位报考', 'Several diplomas to show'],
  degree_origin: ['学历取得地', 'Degree from'],
  nationality: ['国籍／地区', 'Nationality'],
  id_document: ['证件类型', 'Identity document'],
  military: ['军队人员', 'Military'],
  institution: ['试用（执业）机构', 'Institution'],
  institutions_count: ['涉及机构数', 'Institutions covered'],
  institution_has_category: ['机构有报考专业', 'Institution has the category'],
  registration_changed: ['执业注册有变更', 'Registration was changed'],
  registration_years_short: ['变更后年限不足', 'Too few years since the change'],
  licence_lacks_first_registration: ['证书未载首次注册', 'Licence lacks the first registration'],
  extra_exam: ['短线医学加试', 'Extra exam'],
  has_residency_certificate: ['有规培证书', 'Residency certificate'],
  has_village_doctor_certificate: ['有乡医证', 'Village doctor’s certificate'],
  rural_major: ['农村医学专业', 'Rural-medicine major'],
  western_studying_tcm: ['西学中', 'Western doctor studying TCM'],
  apprenticeship_province: ['师承证书所属考区', 'Apprenticeship certificate of region'],
  review_passed_years: ['已通过审核年份', 'Reviews passed in'],
  first_application_within_3y: ['三年内首次报考', 'First application in three years'],
  carried_over_skill_pass: ['技能考试成绩延用', 'Skills pass carried over'],
}

const VALUES: Record<string, Pair> = {
  physician: ['执业医师', 'Physician'],
  assistant: ['执业助理医师', 'Assistant physician'],
  clinical: ['临床', 'Clinical'],
  dental: ['口腔', 'Dental'],
  public_health: ['公共卫生', 'Public health'],
  tcm: ['中医', 'Chinese medicine'],
  integrated: ['中西医结合', 'Integrated medicine'],
  ethnic: ['民族医', 'Ethnic medicine'],
  rural_general: ['乡村全科', 'Rural general practice'],
  graduate: ['研究生', 'Graduate'],
  bachelor: ['本科', 'Bachelor'],
  junior_college: ['专科', 'Junior college'],
  secondary: ['中专', 'Secondary'],
  apprenticeship: ['师承', 'Apprenticeship'],
  special_skill: ['确有专长', 'Special skill'],
  tcm_specialist: ['中医专长', 'TCM specialist'],
  full_time: ['全日制', 'Full-time'],
  adult: ['成人教育', 'Adult education'],
  graduated: ['已毕业', 'Graduated'],
  finishing_this_year: ['当年毕业', 'Finishing this year'],
  mainland: ['内地', 'Mainland'],
  hmt: ['港澳台', 'Hong Kong, Macao or Taiwan'],
  foreign: ['国外', 'Foreign'],
  id_card: ['居民身份证', 'Identity card'],
  temporary_id: ['临时身份证', 'Temporary identity card'],
  military_card: ['军官证', 'Military card'],
  police_card: ['警官证', 'Police card'],
  hmt_permit: ['港澳台居民证件', 'Permit (HK, Macao, Taiwan)'],
  passport: ['护照', 'Passport'],
  serving: ['现役军人', 'Serving'],
  civilian_staff: ['文职人员', 'Civilian staff'],
  tertiary_a: ['三级甲等医院', 'Tertiary grade-A hospital'],
  cdc: ['疾控中心', 'Centre for disease control'],
  medical: ['医疗机构', 'Medical institution'],
  other: ['非医疗机构', 'Not a medical institution'],
  emergency: ['院前急救', 'Pre-hospital emergency'],
  paediatrics: ['儿科', 'Paediatrics'],
}

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

const YES: Pair = ['是', 'Yes']
const NO: Pair = ['否', 'No']

function text([zh, en]: Pair): Text {
  return { zh, en }
}

export function factValue(value: Facts[string]): Text {
  if (typeof value === 'boolean') return text(value ? YES : NO)
  if (value === null) return text(['无', 'None'])
  if (Array.isArray(value)) return text([value.join('、'), value.join(', ')])
  return text(VALUES[value] ?? [String(value), String(value)])
}

/** The facts worth reading, in the vocabulary's order. */
export function tellingFacts(facts: Facts): { fact: string; label: Text; value: Text }[] {
  return Object.keys(LABELS)
    .filter((fact) => fact in facts && isTelling(fact, facts[fact] ?? null))
    .map((fact) => ({ fact, label: text(LABELS[fact]!), value: factValue(facts[fact] ?? null) }))
}

function isTelling(fact: string, value: Facts[string]): boolean {
  if (ALWAYS.has(fact)) return true
  if (value === null || value === ORDINARY[fact]) return false
  return !(value === false && ORDINARY[fact] === undefined) && !(Array.isArray(value) && value.length === 0)
}
