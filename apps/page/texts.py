"""The words of the page, in English and Chinese, in one table; and the Chinese of lines that the program says in English."""

import re

LANGUAGES = {"en": "English", "zh": "中文"}  # by the code that HTML and browsers use, as each calls itself

TEXTS = {  # by name: English, Chinese
    "title": ("Compare images", "图像比较"),
    "skip": ("Skip to the questions", "跳到提问区"),
    "tabs": ("Questions", "问题"),
    "language": ("Language", "语言"),
    "private": ("Pictures stay on the computer that runs this page.", "图片只留在运行本页面的电脑上。"),

    "same.tab": ("Same or not", "是否相同"),
    "search.tab": ("Search", "搜索"),
    "duplicates.tab": ("Duplicates", "重复图片"),
    "quality.tab": ("Quality", "画质"),
    "places.tab": ("Same place", "同一地点"),
    "why.tab": ("Why", "为什么"),

    "same.head": ("Do two pictures show the same thing?", "两张图片是同一样东西吗？"),
    "search.head": ("Which pictures of a folder are most like this one?", "文件夹里哪些图片与这张最像？"),
    "duplicates.head": ("Which pictures of a folder show the same thing?", "文件夹里哪些图片是重复的？"),
    "quality.head": ("Which photo looks better?", "哪张照片画质更好？"),
    "places.head": ("Do two photos show the same place?", "两张照片拍的是同一个地方吗？"),
    "why.head": ("Why are two pictures alike or different?", "两张图片为什么相像或不同？"),

    "same.about": ("Choose two pictures. The answer is a similarity from 0 to 1, and the threshold from which on they count as the same.",
                   "请选择两张图片。结果是 0 到 1 的相似度，以及判为相同的阈值。"),
    "search.about": ("Choose a picture and a folder. The first search of a folder takes a while; later ones are fast.",
                     "请选择一张图片和一个文件夹。第一次搜索某个文件夹需要一些时间，之后会很快。"),
    "duplicates.about": ("Choose a folder. The page shows groups of pictures that are alike, and a list of files to keep. It never deletes a file.",
                         "请选择一个文件夹。页面会分组显示相同的图片，并给出建议保留的文件清单。本页面不会删除任何文件。"),
    "quality.about": ("Choose several photos. Each gets a score, and the best comes first.",
                      "请选择多张照片。每张都会得到一个分数，最好的排在最前。"),
    "places.about": ("Choose two photos. Points that look alike are joined by lines; where enough of them agree, the photos show the same place.",
                     "请选择两张照片。相像的点用线连接；如果足够多的点一致，就说明两张照片拍的是同一个地方。"),
    "why.about": ("Choose two pictures. The page marks the places that speak for the answer and those that speak against it.",
                  "请选择两张图片。页面会标出哪些地方支持“相同”，哪些地方反对。"),

    "first": ("First picture", "第一张图片"),
    "second": ("Second picture", "第二张图片"),
    "query": ("Picture to search for", "要搜索的图片"),
    "photos": ("Photos", "照片"),
    "drop": ("Drop a picture here, or click to choose", "把图片拖到这里，或点击选择"),
    "drop_several": ("Drop photos here, or click to choose", "把照片拖到这里，或点击选择"),
    "folder": ("Folder", "文件夹"),
    "folder.help": ("Below {root}, such as cats/2024. Leave it empty for all of {root}.",
                    "位于 {root} 之下，例如 cats/2024。留空则表示整个 {root}。"),
    "top": ("Pictures to show", "显示张数"),
    "model": ("Model", "模型"),
    "model.auto": ("Choose for me", "自动选择"),
    "model.characters": ("characters (letters and drawings)", "characters（字符和图画）"),
    "model.photos": ("photos (copies of photos)", "photos（照片的副本）"),
    "model.quality": ("quality (photos)", "quality（照片画质）"),
    "model.patches": ("patches (places in photos)", "patches（照片中的地点）"),
    "model.sift": ("SIFT (no model)", "SIFT（不用模型）"),
    "force": ("Show all groups, even where the model cannot tell the pictures apart", "即使模型分不清这些图片，也显示所有分组"),
    "limit": ("Up to {megabytes} MB a file.", "每个文件不超过 {megabytes} MB。"),

    "same.ask": ("Compare", "比较"),
    "search.ask": ("Search", "搜索"),
    "duplicates.ask": ("Find duplicates", "查找重复"),
    "quality.ask": ("Score", "打分"),
    "places.ask": ("Match", "匹配"),
    "why.ask": ("Show why", "显示原因"),

    "working": ("Working. The first question loads the model, which takes some seconds. If somebody else is asking, your answer comes next.",
                "正在处理。第一次提问需要加载模型，要等几秒钟。如果别人正在提问，会在其后轮到您。"),
    "offline": ("The program does not answer. It may have been stopped: start it again with python serve.py.",
                "程序没有回应，可能已经停止：请用 python serve.py 重新启动。"),
    "answer": ("Answer", "结果"),
    "error": ("No answer", "没有结果"),
    "warning": ("Warning", "警告"),
    "loaded": ("The model {name} was loaded just now ({seconds} s). It stays loaded, so the next answer is faster.",
               "模型 {name} 刚刚加载完成（{seconds} 秒）。它会保留在内存中，下次回答会更快。"),
    "used": ("Model: {name}.", "模型：{name}。"),

    "is_same": ("The same", "相同"),
    "is_different": ("Different", "不同"),
    "similarity": ("Similarity", "相似度"),
    "threshold": ("Threshold", "阈值"),
    "from_on": ("The same from {threshold} on.", "相似度达到 {threshold} 即判为相同。"),
    "found": ("The {count} most alike", "最像的 {count} 张"),
    "asked_for": ("Searched for", "搜索的图片"),
    "same_mark": ("same", "相同"),

    "groups": ("{groups} groups among {count} pictures", "{count} 张图片中有 {groups} 组重复"),
    "group_one": ("1 group among {count} pictures", "{count} 张图片中有 1 组重复"),
    "groups.none": ("No duplicates among {count} pictures", "{count} 张图片中没有重复"),
    "group": ("Group {number}", "第 {number} 组"),
    "groups.help": ("Tick the pictures to keep. The lists below follow.", "勾选要保留的图片，下面的清单会随之更新。"),
    "groups.some": ("The page shows {shown} of {all} groups. The table holds all of them.", "页面只显示 {all} 组中的 {shown} 组，表格包含全部。"),
    "too_many": ("The model does not tell these pictures apart: {share} of their pairs are alike. So only identical files are shown. "
                 "Choose another model, or tick “Show all groups”.",
                 "模型分不清这些图片：{share} 的图片对被判为相同。因此只显示完全相同的文件。请换一个模型，或勾选“显示所有分组”。"),
    "too_many.forced": ("The model does not tell these pictures apart: {share} of their pairs are alike. Expect wrong groups.",
                        "模型分不清这些图片：{share} 的图片对被判为相同。分组可能有误。"),
    "identical": ("identical file", "完全相同的文件"),
    "keep": ("Keep", "保留"),
    "list.keep": ("Files to keep", "保留的文件"),
    "list.others": ("The other files", "其余的文件"),
    "copy": ("Copy", "复制"),
    "copied": ("Copied", "已复制"),
    "download": ("Download", "下载"),
    "table": ("Download the table of all groups (CSV)", "下载全部分组的表格（CSV）"),

    "scores": ("{count} photos, the best first", "{count} 张照片，最好的在前"),
    "score_one": ("The score of the photo", "照片的分数"),
    "higher": ("Higher is better.", "分数越高越好。"),
    "lower": ("Lower is better.", "分数越低越好。"),
    "scale": ("About {best} stands for good photos and {worst} for bad ones; scores may lie outside.",
              "约 {best} 表示好照片，约 {worst} 表示差照片；分数可能超出这个范围。"),

    "place.same": ("The same place", "同一个地方"),
    "place.different": ("No agreement", "没有找到一致之处"),
    "place.agree": ("{agree} of {matches} matches agree; from {needed} on it is hardly chance.",
                    "{matches} 个匹配中有 {agree} 个一致；达到 {needed} 个就几乎不可能是巧合。"),
    "place.overlay": ("But of {places} places around them only {alike} look alike: a caption, a frame or a watermark?",
                      "但它们周围的 {places} 处中只有 {alike} 处相像：是标题、边框还是水印？"),
    "place.lines": ("Green lines: matches that agree. Grey lines: matches that do not.", "绿线：一致的匹配。灰线：不一致的匹配。"),
    "place.laid": ("The second photo laid onto the first. The rim, where the second shows nothing, is pale.",
                   "第二张照片叠放在第一张上。周围较淡的部分第二张没有拍到。"),
    "place.matrix": ("Map from pixels of the first photo to pixels of the second", "从第一张照片的像素到第二张照片像素的变换"),

    "why.pairs": ("Places that correspond, the strongest first.", "互相对应的地方，最强的在前。"),
    "why.none": ("No places correspond.", "没有互相对应的地方。"),
    "why.windows": ("Red speaks for “the same”: found in the other picture, and nowhere else in its own. Blue speaks against it: the other picture "
                    "has nothing like it. No colour says nothing: it is like many places.",
                    "红色支持“相同”：在另一张图片里能找到，而在本图其他地方找不到。蓝色反对：另一张图片里没有类似的地方。"
                    "没有颜色表示不说明问题：它与很多地方相似。"),
    "why.hiding": ("Red speaks for “the same”: painted over, the pictures are less alike. Blue speaks against it: painted over, they are more alike. "
                   "No colour says nothing.",
                   "红色支持“相同”：涂掉之后两张图片不那么像。蓝色反对：涂掉之后更像。没有颜色表示不说明问题。"),
    "why.attention": ("Red speaks for “the same”: the model finds it in one place of the other picture. Blue speaks against it: the model finds "
                      "nothing like it. No colour says nothing.",
                      "红色支持“相同”：模型在另一张图片的一处找到了它。蓝色反对：模型没有找到类似的地方。没有颜色表示不说明问题。"),
    "why.map": ("Heat map of picture {number}", "图片 {number} 的热图"),

    "not_found": ("There is no such page.", "没有这个页面。"),
    "too_large": ("The files are larger than {megabytes} MB together: choose fewer or smaller ones.",
                  "这些文件合计超过 {megabytes} MB：请少选几个，或选择较小的文件。"),
    "file_too_large": ("{name}: {size} MB, expected at most {megabytes} MB: choose a smaller file.",
                       "{name}：{size} MB，超过了 {megabytes} MB 的上限：请选择较小的文件。"),
    "failed": ("Something went wrong in the program. The window in which it runs tells more.", "程序内部出错。运行程序的窗口里有更多信息。"),
}

SAID = [  # a line of the program, and its Chinese; the rest of the line, such as a file's name, stays
    (r"^(.*): no such file$", r"\1：没有这个文件"),
    (r"^(.*): the file is empty$", r"\1：文件是空的"),
    (r"^(.*): not an image that Pillow can read$", r"\1：不是可以读取的图片"),
    (r"^(.*): broken image \((.*)\)$", r"\1：图片已损坏（\2）"),
    (r"^(.*): a HEIC picture: .*$", r"\1：HEIC 图片，请先转换为 JPEG"),
    (r"^(.*): (\d+) x (\d+) pixels, expected ([\d.]+) megapixels or fewer.*$", r"\1：\2 x \3 像素，超过了 \4 百万像素的上限，请先缩小"),
    (r"^(.*): no image that can be read; .*$", r"\1：没有可以读取的图片"),
    (r"^(.*): no such folder; .*$", r"\1：没有这个文件夹"),
    (r"^(.*): not a name below the chosen folder; .*$", r"\1：不在所选的文件夹之下；请输入类似 cats/2024 的名称，开头不要斜杠"),
    (r"^(.*): leads out of the chosen folder; .*$", r"\1：会离开所选的文件夹；请去掉 .."),
    (r"^(.*): a link that leads out of the chosen folder; .*$", r"\1：是一个通往所选文件夹之外的链接，不能搜索"),
    (r"^(.*): no such model; expected one of the list: (.*)$", r"\1：没有这个模型；可选：\2"),
    (r"^(.*): expected a number from (\S+) to (\S+)$", r"\1：请输入 \2 到 \3 之间的数"),
    (r"^a picture is missing: .*$", "缺少图片：请在每一处选择一个文件"),
    (r"^photos are missing: .*$", "缺少照片：请选择一张或多张"),
    (r"^these pictures are characters, the model learnt from photographs: .*$", "这些图片是字符，而模型学的是照片：不要相信它的回答"),
    (r"^these pictures are photographs, the model learnt from characters: .*$", "这些图片是照片，而模型学的是字符：不要相信它的回答"),
    (r"^these pictures look unlike those that the model learnt from: .*$", "这些图片与模型学过的不像：请核对它的回答"),
]
LEFT_OUT = re.compile(r"left out (\d+) (broken )?.*?: (.*)")  # what `utils.saying.left_out` says


def text(language: str, name: str, /, **values) -> str:
    """The words of a name in a language of `LANGUAGES`, with values filled in."""
    return TEXTS[name][list(LANGUAGES).index(language)].format(**values)


def translated(language: str, line: str) -> str:
    """A line of the program in a language; one that has no translation stays English."""
    if language != "zh":
        return line
    if found := LEFT_OUT.fullmatch(line):
        return f"略过 {found[1]} 个{'损坏的' if found[2] else ''}文件：" + "，".join(translated(language, part) for part in found[3].split(", "))
    for pattern, chinese in SAID:
        if re.match(pattern, line):
            return re.sub(pattern, chinese, line)
    return line
