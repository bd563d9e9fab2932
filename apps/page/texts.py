"""The words of the page, in English and Chinese; and the Chinese of lines that the program says in English.

What the tabs of a room say stands in apps/words.py of the room, in tables of the same names.
"""

import re
from functools import cache

from tasks import ROOMS, module_of

LANGUAGES = {"en": "English", "zh": "中文"}  # by the code that HTML and browsers use, as each calls itself

TEXTS = {  # by name: English, Chinese
    "title": ("Compare images", "图像比较"),
    "skip": ("Skip to the questions", "跳到提问区"),
    "tabs": ("Questions", "问题"),
    "language": ("Language", "语言"),
    "private": ("Pictures stay on the computer that runs this page.", "图片只留在运行本页面的电脑上。"),

    "first": ("First picture", "第一张图片"),
    "second": ("Second picture", "第二张图片"),
    "drop": ("Drop a picture here, or click to choose", "把图片拖到这里，或点击选择"),
    "drop_several": ("Drop photos here, or click to choose", "把照片拖到这里，或点击选择"),
    "folder": ("Folder", "文件夹"),
    "folder.help": ("Below {root}, such as cats/2024. Leave it empty for all of {root}.",
                    "位于 {root} 之下，例如 cats/2024。留空则表示整个 {root}。"),
    "model": ("Model", "模型"),
    "model.auto": ("Choose for me", "自动选择"),
    "limit": ("Up to {megabytes} MB a file.", "每个文件不超过 {megabytes} MB。"),

    "working": ("Working. The first question loads the model, which takes some seconds. If somebody else is asking, "
                "your answer comes next.",
                "正在处理。第一次提问需要加载模型，要等几秒钟。如果别人正在提问，会在其后轮到您。"),
    "offline": ("The program does not answer. It may have been stopped: start it again with python serve.py.",
                "程序没有回应，可能已经停止：请用 python serve.py 重新启动。"),
    "answer": ("Answer", "结果"),
    "error": ("No answer", "没有结果"),
    "warning": ("Warning", "警告"),
    "loaded": ("The model {name} was loaded just now ({seconds} s). It stays loaded, so the next answer is faster.",
               "模型 {name} 刚刚加载完成（{seconds} 秒）。它会保留在内存中，下次回答会更快。"),
    "used": ("Model: {name}.", "模型：{name}。"),

    "copy": ("Copy", "复制"),
    "copied": ("Copied", "已复制"),
    "download": ("Download", "下载"),

    "not_found": ("There is no such page.", "没有这个页面。"),
    "too_large": ("The files are larger than {megabytes} MB together: choose fewer or smaller ones.",
                  "这些文件合计超过 {megabytes} MB：请少选几个，或选择较小的文件。"),
    "too_many_files": ("A question holds at most {files} files, and few words: choose fewer files, or write less.",
                 "一次提问最多 {files} 个文件，文字也不能太长：请少选几个文件，或缩短文字。"),
    "file_too_large": ("{name}: {size} MB, expected at most {megabytes} MB: choose a smaller file.",
                       "{name}：{size} MB，超过了 {megabytes} MB 的上限：请选择较小的文件。"),
    "failed": ("Something went wrong in the program. The window in which it runs tells more.",
               "程序内部出错。运行程序的窗口里有更多信息。"),
}

SAID = [  # a line of the program, and its Chinese; the rest of the line, such as a file's name, stays
    (r"^(.*): no such file$", r"\1：没有这个文件"),
    (r"^(.*): the file is empty$", r"\1：文件是空的"),
    (r"^(.*): not an image that Pillow can read$", r"\1：不是可以读取的图片"),
    (r"^(.*): broken image \((.*)\)$", r"\1：图片已损坏（\2）"),
    (r"^(.*): not an image that Pillow can read; HEIC: .*$", r"\1：HEIC 图片，请先转换为 JPEG"),
    (r"^(.*): not an image that Pillow can read; (.*)$", r"\1：不是可以读取的图片；\2"),
    (r"^(.*): (page|frame) (\d+) of (\d+) was looked at$", r"\1：只看了 \4 页（帧）中的第 \3 页（帧）"),
    (r"^(.*): (\d+) x (\d+) pixels of (\S+), which take ([\d.]+) GB .*$", r"\1：\2 x \3 像素（\4），读取需要 \5 GB "
                                                                            "内存，请先缩小"),
    (r"^(.*): (\d+) x (\d+) pixels, expected ([\d.]+) megapixels or fewer.*$", r"\1：\2 x \3 像素，超过了 \4 "
                                                                                "百万像素的上限，请先缩小"),
    (r"^(.*): no image that can be read; .*$", r"\1：没有可以读取的图片"),
    (r"^(.*): no such folder; .*$", r"\1：没有这个文件夹"),
    (r"^(.*): not a name below the chosen folder; .*$", r"\1：不在所选的文件夹之下；请输入类似 cats/2024 的名称，"
                                                         "开头不要斜杠"),
    (r"^(.*): leads out of the chosen folder; .*$", r"\1：会离开所选的文件夹；请去掉 .."),
    (r"^(.*): a link that leads out of the chosen folder; .*$", r"\1：是一个通往所选文件夹之外的链接，不能搜索"),
    (r"^(.*): no such model; expected one of the list: (.*)$", r"\1：没有这个模型；可选：\2"),
    (r"^(.*): expected a number from (\S+) to (\S+)$", r"\1：请输入 \2 到 \3 之间的数"),
    (r"^a picture is missing: .*$", "缺少图片：请在每一处选择一个文件"),
]
PLAIN = [  # what a line says of a flag, which the page does not have, and what the page says in its place
    (r"; --page=N looks at another\b", ""),
    (r": --picture_levels=BLACK,WHITE sets both\b", ""),
    (r", or pass --max_megapixels=\d+ if memory allows\b", ""),
    (r"--model=(.+) asks (the run|it)$", r"choose the model \1 to ask \2"),
]
LEFT_OUT = re.compile(r"left out (\d+) (broken )?.*?: (.*)")  # what `utils.saying.left_out` says


@cache
def words(room: str = "") -> dict[str, tuple[str, str]]:
    """The words of the page and of all tabs, by name; where two rooms have words of one name, those of `room`."""
    texts = dict(TEXTS)
    for each in [*(room for room, row in ROOMS.items() if row.tabs), *[room] * bool(room)]:
        texts |= module_of(each, "apps.words").TEXTS
    return texts


@cache
def said(room: str = "") -> list[tuple[str, str]]:
    """The lines of the program that have a Chinese translation, those of the rooms too; those of `room` come first."""
    of_rooms = {each: getattr(module_of(each, "apps.words"), "SAID", []) for each, row in ROOMS.items() if row.tabs}
    return [*of_rooms.pop(room, []), *SAID, *(pair for pairs in of_rooms.values() for pair in pairs)]


def text(language: str, name: str, /, room: str = "", **values) -> str:
    """The words of a name in a language of `LANGUAGES`, with values filled in, on a tab of `room`."""
    return words(room)[name][list(LANGUAGES).index(language)].format(**values)


def translated(language: str, line: str, room: str = "") -> str:
    """A line of the program in a language, on a tab of `room`, without flags that the page does not have; one that has
    no translation stays English."""
    for pattern, plain in PLAIN:
        line = re.sub(pattern, plain, line)
    if language != "zh":
        return line
    if match := LEFT_OUT.fullmatch(line):
        return f"略过 {match[1]} 个{'损坏的' if match[2] else ''}文件：" + "，".join(translated(language, part, room)
                                                                           for part in match[3].split(", "))
    for pattern, chinese in said(room):
        if re.match(pattern, line):
            return re.sub(pattern, chinese, line)
    first, *others = line.split("; ")  # several warnings
    return "；".join(translated(language, part, room) for part in (first, *others)) if others else line
