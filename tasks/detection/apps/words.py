"""The words of the tab of detection on the page, in English and Chinese."""

TEXTS = {  # by name: English, Chinese
    "objects.tab": ("Find objects", "查找目标"),

    "objects.head": ("What lies where in a photo?", "照片里什么东西在哪里？"),

    "objects.about": ("Choose a photo, and boxes show what lies where. With an example of one thing, boxes show where "
                      "the same thing lies.",
                      "请选择一张照片，方框会标出什么东西在哪里。如果再给出一个例子，方框会标出同样的东西在哪里。"),

    "photo": ("Photo", "照片"),
    "example": ("Example of what is looked for, if any", "要找的东西的例子（可选）"),
    "model.objects": ("objects (small shapes and letters)", "objects（小图形和字母）"),

    "objects.ask": ("Find", "查找"),

    "objects.found": ("Objects found: {count}", "找到的目标：{count} 个"),
    "objects.like": ("Found like the example: {count}", "与例子相同的目标：{count} 个"),
    "objects.alike": ("like the example", "与例子相同"),
    "objects.figure": ("The photo with a box around each object, and its score", "照片，每个目标都有方框和得分"),
    "objects.expected": ("About one of them is expected to be wrong, in a photo that shows none of it too.",
                         "其中大约会有一个找错，即使照片里根本没有这样东西。"),
    "objects.table": ("Each object: class, score, and left, top, right and bottom in pixels",
                      "每个目标：类别、得分，以及左、上、右、下的像素坐标"),
}

SAID = [  # lines of the program, and their Chinese
    (r"^(.*): shows nothing that differs from its ground, .*$", r"\1：看不出与背景不同的东西，请换一个例子"),
]
