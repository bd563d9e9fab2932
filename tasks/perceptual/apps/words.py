"""The words of the tab of the perceptual distance on the page, in English and Chinese."""

TEXTS = {  # by name: English, Chinese
    "near.tab": ("How near", "有多接近"),

    "near.head": ("How near is a copy, to the eye?", "在人眼看来，副本与原图有多接近？"),

    "near.about": ("Choose an original and a changed picture of it. The distance is 0 for equal pictures, and a map "
                   "shows where they differ.",
                   "请选择原图和它的一张改动过的图片。两图相同时距离为 0，另有一张图显示差异所在。"),

    "original": ("Original", "原图"),
    "changed": ("Changed picture", "改动后的图片"),
    "model.deepsim": ("deepsim (the ready comparator)", "deepsim（内置比较网络）"),

    "near.ask": ("Compare", "比较"),

    "near.done": ("Perceptual distance {distance}", "感知距离 {distance}"),
    "near.scale": ("0: equal; about 1: unrelated photos.", "0 表示相同，约 1 表示毫不相关的照片。"),
    "near.resized": ("The pictures had different sizes: the second was resized to that of the original.",
                     "两张图片大小不同：第二张已调整为原图的大小。"),
    "near.shifted": ("What the second picture shows lies {right} pixels to the right and {down} pixels down (minus: to "
                     "the left, up); for the distance it was laid back.",
                     "第二张图片的内容向右偏移 {right} 像素、向下偏移 {down} 像素（负数表示向左、向上）；"
                     "计算距离前已对齐。"),
    "near.places": ("Where they differ: the brighter, the more. The bar goes from 0 to {top} or more, on the scale of "
                    "the distance.",
                    "差异所在：越亮差异越大。色条从 0 到 {top} 及以上，与距离的刻度相同。"),
}

SAID = [  # lines of the program, and their Chinese
    (r"^the distance was measured on photographs, and this original looks unlike them: the map shows where they "
     r"differ, and the distance hardly how much to the eye$",
     "该距离只在照片上验证过，而这张原图不像照片：图中能看出差异所在，但距离很难说明在人眼看来差异有多大"),
    (r"^JPEG hardly changes such a picture, so it gives no scale$", "JPEG 压缩几乎不改变这样的图片，因此无从对照"),
    (r"^the same pixels$", "像素完全相同"),
    (r"^as far as JPEG quality (\d+) of such a photo$", r"差异相当于把原图压缩成质量为 \1 的 JPEG"),
    (r"^nearer than JPEG quality (\d+) of such a photo$", r"差异比把原图压缩成质量为 \1 的 JPEG 还小"),
    (r"^farther than JPEG quality (\d+) of such a photo$", r"差异比把原图压缩成质量为 \1 的 JPEG 还大"),
]
