"""The words of the tab of super-resolution on the page, in English and Chinese."""

TEXTS = {  # by name: English, Chinese
    "larger.tab": ("Larger", "放大"),

    "larger.head": ("Make a photo larger", "把照片放大"),

    "larger.about": ("Choose a sharp photo. It becomes larger, and a slider shows it beside plain interpolation.",
                     "请选择一张清晰的照片。照片会被放大，用滑块可以和普通插值的结果比较。"),

    "photo": ("Photo", "照片"),
    "model.x2": ("x2 (twice as large)", "x2（放大到两倍）"),

    "larger.ask": ("Make it larger", "放大"),

    "larger.done": ("{scale} times larger: {width} x {height} pixels", "放大到 {scale} 倍：{width} x {height} 像素"),
    "larger.cut": ("The photo is large, so the page shows its middle. predict.py --task=superres makes the whole photo "
                   "larger.",
                   "照片较大，本页只显示中间部分。用 predict.py --task=superres 可以放大整张照片。"),
    "larger.before": ("Bicubic interpolation", "双三次插值"),
    "larger.after": ("This model", "本模型"),
    "larger.slide": ("How much of the photo bicubic interpolation shows", "双三次插值所占的宽度"),
    "larger.sides": ("Left of the line: bicubic interpolation. Right of it: this model.",
                     "线的左边是双三次插值，右边是本模型。"),
}

SAID = [  # lines of the program, and their Chinese
    (r"^a JPEG of quality (\d+): .*$", r"JPEG 质量只有 \1：网络会把压缩方块当成细节而加以锐化"),
    (r"^shows the blocks of hard JPEG compression, .*$", "照片里有强 JPEG 压缩的方块，网络会把它们当成细节而加以锐化"),
    (r"^holds no fine detail, .*$", "照片里没有细微的细节，可能已被放大过或不清晰：请使用放大之前的照片"),
    (r"^(.*): CMYK, which becomes RGB.*$", r"\1：CMYK 照片，已转换为 RGB"),
]
