"""The words of the tab of patches on the page, in English and Chinese."""

TEXTS = {  # by name: English, Chinese
    "places.tab": ("Same place", "同一地点"),

    "places.head": ("Do two photos show the same place?", "两张照片拍的是同一个地方吗？"),

    "places.about": ("Choose two photos. Points that look alike are joined by lines; where enough of them agree, the "
                     "photos show the same place.",
                     "请选择两张照片。相像的点用线连接；如果足够多的点一致，就说明两张照片拍的是同一个地方。"),

    "model.patches": ("patches (places in photos)", "patches（照片中的地点）"),
    "model.sift": ("SIFT (no model)", "SIFT（不用模型）"),

    "places.ask": ("Match", "匹配"),

    "place.same": ("The same place", "同一个地方"),
    "place.different": ("No agreement", "没有找到一致之处"),
    "place.agree": ("{agree} of {matches} matches agree; from {needed} on it is hardly chance.",
                    "{matches} 个匹配中有 {agree} 个一致；达到 {needed} 个就几乎不可能是巧合。"),
    "place.overlay": ("But of {places} places around them only {alike} look alike: a caption, a frame or a watermark?",
                      "但它们周围的 {places} 处中只有 {alike} 处相像：是标题、边框还是水印？"),
    "place.lines": ("Green lines: matches that agree. Grey lines: matches that do not.",
                    "绿线：一致的匹配。灰线：不一致的匹配。"),
    "place.laid": ("The second photo laid onto the first", "叠放在第一张上的第二张照片"),
    "place.first": ("The first photo", "第一张照片"),
    "place.slide": ("How much of the first photo is shown", "第一张照片所占的宽度"),
    "place.sides": ("Left of the line: the first photo. Right of it: the second photo, laid onto the first. The rim, "
                    "where the second shows nothing, is pale.",
                    "线的左边是第一张照片，右边是叠放在第一张上的第二张照片。周围较淡的部分第二张没有拍到。"),
    "place.matrix": ("Map from pixels of the first photo to pixels of the second",
                     "从第一张照片的像素到第二张照片像素的变换"),
}
