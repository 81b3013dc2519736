/** Words of the progress page. */
import { words } from '@shared/locale'

const zh = {
  year: '考试年度',
  allSites: '全部考点',
  chooseRegion: '请输入考区代码。',
  exportCsv: '导出名单 CSV',
  exportXlsx: '导出名单 XLSX',
  exportProgress: '导出进度 XLSX',
  exportProgressCsv: '导出进度 CSV',
  exportList: '报名名单',
  listState: '状态',
  allStates: '全部状态',
  allCategories: '全部报考类别',
  allEducations: '全部报考学历',
  all: '报名总数',
  thrice: '退回三次',
  byDay: '每日办理',
  byDayChart: '每日提交、退回、通过和决定数量的折线图；数字见表格。',
  day: '日期',
  day_submitted: '提交',
  day_returned: '退回',
  day_passed: '转考区',
  day_decided: '决定',
  asTable: '显示表格',
  asChart: '显示图表',
  ageing: '等待时间',
  ageingChart: '待审核报名按等待时间的柱状图；数字见表格。',
  'age_<1d': '1 天以内',
  'age_1-3d': '1—3 天',
  'age_3-7d': '3—7 天',
  'age_>7d': '7 天以上',
  bySite: '各考点',
  throughput: '审核人员办理量（退回、转考区、决定为近 7 天）',
  reviewer: '审核人员',
  today: '今天',
  week: '近 7 天',
  reasons: '最常见的退回原因（近 60 天）',
  item: '材料',
  reason: '退回原因',
  count: '次数',
  overruled: '与人工审核不一致的自动检查',
  finding: '自动检查发现',
  inSpite: '人工判定合格',
  none: '暂无数据',
  asOf: '数据截至 {at}（北京时间）。',
}

export type ProgressWords = Record<keyof typeof zh, string>

export const g = words(zh, () => import('./words.progress.en'))

export function gOr(key: string, otherwise: string): string {
  return key in zh ? g(key as keyof ProgressWords) : otherwise
}
