/** Words of publishing. */
import { words } from '@shared/locale'

const zh = {
  year: '考试年度',
  readiness: '准备情况',
  unfinished: '还有 {n} 份报名没有审核完毕，暂不能公布。',
  toUnfinished: '查看未完成的报名',
  opensAt: '审核已完毕。公布时段 {at}（北京时间）开始，届时可公布。',
  nothing: '没有待公布的终审意见。',
  ready: '全部审核完毕，可以公布。',
  readyMore: '本年度已公布过；以下为补充公布的终审意见。',
  toPublish: '待公布的终审意见',
  others: '报名状态',
  sum: '合计',
  lapsedHint: '已失效和已撤回的报名没有终审意见，不影响公布。',
  lapsed_returned: '退回后未按期再次提交',
  lapsed_withdrawn: '撤回后未按期再次提交',
  lapsed_draft: '未按期提交',
  lapsed_unknown: '原因没有记录',
  act: '公布',
  text: '考区 {region} 该年度待公布的终审意见将同时公布，考生在同一时刻可见，不能撤回。',
  from: '可见时间（北京时间）',
  atOnce: '尽快（至少 5 分钟后）',
  fromHint: '不填则尽快；须至少在 5 分钟之后。',
  count: '确认份数',
  countHint: '请输入待公布的份数 {n} 以确认。',
  notYet: '目前不能公布，见准备情况。',
  yes: '确认公布',
  runningTitle: '正在公布',
  running: '已发出 {told} / {n} 份，{at} 起考生可见。',
  doneTitle: '公布完成',
  done: '已公布 {n} 份终审意见，{at} 起可见。',
  earlier: '公布记录',
  none: '还没有公布过。',
  col_published: '份数',
  col_told: '已发出',
  col_from: '可见时间（北京时间）',
  col_by: '操作人',
  supplementary: '补充',
  finished: '已完成',
  unfinishedOne: '进行中',
}

export type PublishWords = Record<keyof typeof zh, string>

export const p = words(zh, () => import('./words.publish.en'))
