"""The words of the tab of quality on the page, in English and Chinese."""

TEXTS = {  # by name: English, Chinese
    "quality.tab": ("Quality", "画质"),

    "quality.head": ("Which photo looks better?", "哪张照片画质更好？"),

    "quality.about": ("Choose several photos. Each gets a score, and the best comes first.",
                      "请选择多张照片。每张都会得到一个分数，最好的排在最前。"),

    "photos": ("Photos", "照片"),
    "model.quality": ("quality (photos)", "quality（照片画质）"),

    "quality.ask": ("Score", "打分"),

    "scores": ("{count} photos, the best first", "{count} 张照片，最好的在前"),
    "score_one": ("The score of the photo", "照片的分数"),
    "higher": ("Higher is better.", "分数越高越好。"),
    "lower": ("Lower is better.", "分数越低越好。"),
    "scale.measured": ("Four of five undistorted photos score {good_from} to {good_to}, four of five of the most "
                       "distorted ones {bad_from} to {bad_to}.",
                       "未失真的照片有五分之四得 {good_from} 到 {good_to} 分，失真最重的照片有五分之四得 {bad_from} 到 "
                       "{bad_to} 分。"),
    "place_of.good": ("like undistorted photos", "与未失真的照片相当"),
    "place_of.between": ("between undistorted photos and the most distorted ones", "介于未失真和失真最重的照片之间"),
    "place_of.unlike": ("unlike the photos of the training: do not trust it", "与训练所用的照片不像：请勿相信"),
    "place_of.bad": ("like the most distorted photos", "与失真最重的照片相当"),
    "scale": ("About {best} stands for good photos and {worst} for bad ones; scores may lie outside.",
              "约 {best} 表示好照片，约 {worst} 表示差照片；分数可能超出这个范围。"),
}

SAID = [  # lines of the program, and their Chinese
    (r"^photos are missing: .*$", "缺少照片：请选择一张或多张"),
]
