/** Words of the application page that stand on it at first sight; those of its dialogs are in `words.acts`. */
import { words } from '@shared/locale'

const zh = {
  withdrawnLead: '您已撤回报名材料。须在截止时间前重新提交，否则报名失效。',
  lapsedLead: '未在截止时间前提交，本次报名已失效，不能再修改或提交。',
  onlyDataLead: '您无需上传材料，核对报名信息后提交即可。',
  deadline: '截止时间',
  deadline_submit: '请在截止前提交',
  deadline_resubmit: '请在截止前重新提交',
  daysLeft: '还有 {n} 天',
  hoursLeft: '还有 {n} 小时',
  overdue: '已截止',
  withdraw: '撤回材料',
  reopenedLead: '报名信息有变更，请核对清单后重新提交。',
  noUploads: '本次无需上传材料',
  online: '线上审核',
  onsiteRoute: '线下审核',
  both: '线上审核，并须现场确认',
  route: '审核方式',
  countAtLeast: '{n} 张，至少 {min} 张，最多 {max} 张',
  example: '示例',
  exampleOf: '查看「{item}」示例图片',
  paste: '粘贴',
  pasteFor: '粘贴图片到「{item}」',
  pasteHint: '请先复制图片，再按 Ctrl+V（Mac 按 ⌘V）粘贴到此处。',
  pastedNothing: '剪贴板中没有图片。',
  dropHint: '也可以把图片拖到这里',
  dropHere: '松开鼠标，上传到「{item}」',
  takesNoMore: '「{item}」现在不能再添加图片。',
  bring: '请携带原件到现场',
  bringToo: '上传后还须携带原件到现场',
  notForYou: '仅被通知到现场时携带',
  retired: '规则已更新，此项不再需要',
  retiredText: '已上传的图片仍然保留，您可以删除，也可以不处理。',
  confirmed: '已确认提交',
  handInAnyway: '仍要提交这张',
  handInAnywayOf: '仍要提交这张：{image}',
  unfit: '需要处理后才能上传',
  toMend: '有 {n} 个文件需要处理',
  ready: '可以提交',
  windows: '时间安排',
  toOnsite: '现场审核须知',
}

export type Words = Record<keyof typeof zh, string>

export const p = words(zh, () => import('./words.page.en'))
