"""One spelling for what looks the same: read texts are folded before they are looked through, and stay so.

Validation folds what it reads, and review the registration that it compares it with: they must not differ.
"""

import re
import unicodedata

# The recogniser knows both scripts and takes one for the other where they differ little (漢 for 汉), or sees the
# traditional form that a heading is set in. Pairs, traditional and simplified, of what names and labels have.
_SCRIPTS = (
    "學学證证書书畢毕業业編编號号碼码專专長长師师執执醫医職职級级類类歲岁國国華华黃黄張张陳陈劉刘楊杨趙赵吳吴"
    "孫孙馬马鄭郑馮冯蔣蒋韓韩許许鄧邓蕭萧蘇苏葉叶呂吕盧卢賈贾鍾钟譚谭陸陆錢钱龍龙萬万嚴严顧顾湯汤賀贺龔龚齊齐"
    "喬乔莊庄衛卫鄒邹閻阎倉仓龐庞樂乐婁娄歐欧陽阳單单於于諸诸繆缪聞闻駱骆鮑鲍漢汉麗丽偉伟強强軍军傑杰濤涛鋒锋"
    "鵬鹏寧宁靜静嬌娇艷艳紅红蘭兰鳳凤貴贵榮荣輝辉東东曉晓雲云飛飞亞亚瑩莹穎颖慶庆賢贤傳传興兴義义維维綱纲繼继"
    "緒绪純纯紹绍綺绮緯纬績绩紀纪約约細细終终結结絡络給给統统絲丝經经綠绿網网練练縣县總总銀银銘铭鋼钢錦锦鎮镇"
    "鐘钟鐵铁鑑鉴鈞钧鈴铃鉅钜銳锐鋭锐鍵键鎖锁鏡镜鍇锴釗钊錚铮詩诗詠咏誠诚說说課课調调談谈論论識识議议譯译護护"
    "讓让記记訓训設设訪访評评詞词試试該该語语誼谊諾诺謝谢謙谦講讲賓宾賜赐質质贊赞賽赛貝贝員员財财責责貨货資资"
    "驗验駿骏騰腾驥骥馳驰騏骐駒驹驊骅頁页頂顶順顺須须預预領领題题顏颜願愿風风飄飘飯饭養养館馆開开間间關关閃闪"
    "閔闵閆闫闊阔鶴鹤鴻鸿鷹鹰鳴鸣鶯莺鵑鹃魚鱼魯鲁鮮鲜車车軒轩輪轮轉转輔辅載载較较輸输遠远進进達达運运過过還还"
    "邁迈選选遷迁適适連连遲迟邊边門门問问閣阁閱阅隊队際际陰阴隨随險险階阶電电雙双離离難难雜杂靈灵韻韵響响機机"
    "權权樹树橋桥檢检樣样標标構构棟栋楓枫楨桢樺桦槍枪檔档欄栏條条來来極极氣气漁渔滿满澤泽濱滨灣湾潔洁潤润淵渊"
    "淺浅瀟潇濟济瀾澜煒炜煥焕燦灿燁烨爾尔愛爱憲宪懷怀應应恆恒現现瑤瑶環环璽玺瑋玮璉琏瓊琼時时晉晋暉晖曄晔曆历"
    "實实寶宝審审對对導导將将尋寻層层屬属島岛嶺岭峽峡崗岗嵐岚術术藝艺蓮莲薩萨藍蓝蔭荫蘊蕴薔蔷莖茎裝装補补製制"
    "複复襲袭親亲觀观規规視视覺觉當当畫画異异疊叠療疗發发盡尽監监盤盘積积穩稳種种稱称競竞筆笔節节範范築筑簡简"
    "籌筹籤签簽签聖圣聯联聲声聰聪肅肃臨临舉举與与舊旧務务勝胜勞劳勳勋勵励區区協协壽寿夢梦奮奋婦妇嫻娴從从復复"
    "徵征徹彻態态憶忆戰战戲戏擇择據据擴扩揚扬換换損损攜携數数斷断啟启園园圖图團团圓圆場场壇坛處处備备傷伤價价"
    "優优億亿儀仪個个倫伦醬酱鄉乡鄰邻郵邮錄录無无為为爭争體体鬥斗麼么麥麦點点黨党齡龄龜龟"
)
_SIMPLIFIED = {ord(pair[0]): pair[1] for pair in zip(_SCRIPTS[::2], _SCRIPTS[1::2], strict=True)}
# What NFKC leaves: dashes and dots of all kinds, the zero of Chinese dates that is found as a ring, the gap mark.
_ALIKE = str.maketrans(
    {"○": "〇", "◯": "〇", "—": "-", "–": "-", "‐": "-", "−": "-", "─": "-", "・": "·", "•": "·", "‧": "·",
     "。": ".", "、": ",", "…": "", "|": "", "～": "~", "∼": "~"}
)  # fmt: skip
_SPACE = re.compile(r"\s+")


def folded(text: str) -> str:
    """Half-width, without spaces, simplified characters, one kind of dash and dot."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text)).translate(_ALIKE).translate(_SIMPLIFIED)
