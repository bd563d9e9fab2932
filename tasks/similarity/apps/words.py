"""The words of the tabs of similarity on the page, in English and Chinese."""

TEXTS = {  # by name: English, Chinese
    "same.tab": ("Same or not", "是否相同"),
    "search.tab": ("Search", "搜索"),
    "duplicates.tab": ("Duplicates", "重复图片"),
    "why.tab": ("Why", "为什么"),

    "same.head": ("Do two pictures show the same thing?", "两张图片是同一样东西吗？"),
    "search.head": ("Which pictures of a folder are most like this one?", "文件夹里哪些图片与这张最像？"),
    "duplicates.head": ("Which pictures of a folder, or of several, show the same thing?",
                        "一个或几个文件夹里，哪些图片是重复的？"),
    "why.head": ("Why are two pictures alike or different?", "两张图片为什么相像或不同？"),

    "same.about": ("Choose two pictures. The answer is a similarity from 0 to 1, and the threshold from which on they "
                   "count as the same.",
                   "请选择两张图片。结果是 0 到 1 的相似度，以及判为相同的阈值。"),
    "search.about": ("Choose a picture and a folder. The first search of a folder takes a while; later ones are fast.",
                     "请选择一张图片和一个文件夹。第一次搜索某个文件夹需要一些时间，之后会很快。"),
    "duplicates.about": ("Choose one folder or several. The page shows groups of pictures that are alike, and a "
                         "list of files to keep. It never deletes a file.",
                         "请选择一个或几个文件夹。页面会分组显示相同的图片，并给出建议保留的文件清单。"
                         "本页面不会删除任何文件。"),
    "why.about": ("Choose two pictures. The page marks the places that speak for the answer and those that speak "
                  "against it.",
                  "请选择两张图片。页面会标出哪些地方支持“相同”，哪些地方反对。"),

    "folders": ("Folder, or several", "文件夹（可填几个）"),
    "folders.help": ("Below {root}, such as cats/2024, with commas between several. Leave it empty for all of {root}.",
                     "位于 {root} 之下，例如 cats/2024；填几个时用逗号隔开。留空则表示整个 {root}。"),
    "reference": ("Reference folder, if any", "参考文件夹（可不填）"),
    "reference.help": ("Its pictures are compared with the others and always stay, such as those of an archive.",
                       "其中的图片（例如归档照片）只与其他图片比较，而且一律保留。"),
    "query": ("Picture to search for", "要搜索的图片"),
    "top": ("Pictures to show", "显示张数"),
    "model.characters": ("characters (letters and drawings)", "characters（字符和图画）"),
    "model.photos": ("photos (copies of photos)", "photos（照片的副本）"),
    "force": ("Show all groups, even where the model cannot tell the pictures apart", "即使模型分不清这些图片，"
                                                                                      "也显示所有分组"),

    "same.ask": ("Compare", "比较"),
    "search.ask": ("Search", "搜索"),
    "duplicates.ask": ("Find duplicates", "查找重复图片"),
    "why.ask": ("Show why", "显示原因"),

    "is_same": ("The same", "相同"),
    "is_different": ("Different", "不同"),
    "verdict.copy": ("A copy", "是副本"),
    "verdict.copy with changes": ("A copy with changes", "是副本，但有改动"),
    "verdict.different": ("Different", "不同"),
    "proof.other_colour": ("Other colours", "颜色不同"),
    "proof.beside": ("One file holds more than what is seen: transparency, finer levels of grey, or further pages.",
                     "其中一个文件还含有看不到的内容：透明度、更细的灰度或更多页面。"),
    "proof.agrees": ("{agree} of what both show agrees.", "两张图片共同的内容有 {agree} 一致。"),
    "proof.differs": ("{share} of it differs, in {count} places: see the frames.", "其中 {share} 不同，共 {count} "
                                                                                   "处：见红框。"),
    "proof.differs_one": ("{share} of it differs, in one place: see the frame.",
                          "其中 {share} 不同，只有一处：见红框。"),
    "proved": ("Each copy was laid on the picture to keep, and no place differs. Files to delete are only those of "
               "which the kept picture shows everything.",
               "每个副本都与要保留的图片对齐比较过，没有不同之处。只有内容全部包含在保留图片里的文件才列为可以删除。"),
    "changed": ("{count} pairs of copies with changes", "{count} 对有改动的副本"),
    "changed_one": ("1 pair of copies with changes", "1 对有改动的副本"),
    "changed.help": ("One was made of the other, or both of one template. The frames show what differs. None is listed "
                     "as a file to delete.",
                     "其中一张由另一张改成，或两张出自同一模板。红框标出不同之处。它们都不会列入可以删除的文件。"),
    "changed.share": ("{share} differs", "{share} 不同"),
    "is_unknown": ("No answer", "无法回答"),
    "is_unknown.files": ("No answer about what is alike: only identical files are shown.",
                         "无法判断哪些相像：只显示完全相同的文件。"),
    "similarity": ("Similarity", "相似度"),
    "threshold": ("Threshold", "阈值"),
    "worth.half": ("Half or more of different pairs are as alike as this.", "不同的图片里，至少有一半的配对也这么像。"),
    "worth.some": ("Of 1,000 different pairs, about {count} are as alike as this.",
                   "在 1000 对不同的图片里，约有 {count} 对也这么像。"),
    "worth.none": ("Of 1,000 different pairs, fewer than one is as alike as this.",
                   "在 1000 对不同的图片里，这么像的不到一对。"),
    "worth.tested": ("Measured on {count} classes.", "这是在 {count} 个类别上测得的。"),
    "from_on": ("The same from {threshold} on.", "相似度达到 {threshold} 即判为相同。"),
    "laid": ("The most alike were laid on the picture that was searched for; what is a copy is said.",
             "最像的图片都与搜索的图片对齐比较过；是副本的会标明。"),
    "found": ("The {count} most alike", "最像的 {count} 张"),
    "asked_for": ("Searched for", "搜索的图片"),
    "same_mark": ("same", "相同"),

    "groups": ("{groups} groups among {count} pictures", "{count} 张图片中有 {groups} 组重复图片"),
    "group_one": ("1 group among {count} pictures", "{count} 张图片中有 1 组重复图片"),
    "groups.none": ("No duplicates among {count} pictures", "{count} 张图片中没有重复图片"),
    "group": ("Group {number}", "第 {number} 组"),
    "groups.help": ("Tick the pictures to keep. The lists below follow.", "勾选要保留的图片，下面的清单会随之更新。"),
    "groups.some": ("The page shows {shown} of {all} groups. The table holds all of them.", "页面只显示 {all} 组中的 "
                                                                                            "{shown} "
                                                                                            "组，表格包含全部。"),
    "too_many": ("The model does not tell these pictures apart: {share} of their pairs are alike. So only identical "
                 "files are shown. "
                 "Choose another model, or tick “Show all groups”.",
                 "模型分不清这些图片：{share} 的图片对被判为相同。因此只显示完全相同的文件。请换一个模型，"
                 "或勾选“显示所有分组”。"),
    "too_many.forced": ("The model does not tell these pictures apart: {share} of their pairs are alike. Expect wrong "
                        "groups.",
                        "模型分不清这些图片：{share} 的图片对被判为相同。分组可能有误。"),
    "swallowed": ("The model does not tell these pictures apart: one group would hold {count} of them. So only "
                  "identical files are shown. Choose another model, or tick “Show all groups”.",
                  "模型分不清这些图片：其中一组会包含 {count} 张。因此只显示完全相同的文件。请换一个模型，"
                  "或勾选“显示所有分组”。"),
    "swallowed.forced": ("The model does not tell these pictures apart: one group holds {count} of them. Expect wrong "
                         "groups.",
                         "模型分不清这些图片：其中一组包含 {count} 张。分组可能有误。"),
    "agrees": ("{share} agrees", "{share} 一致"),
    "identical": ("identical file", "完全相同的文件"),
    "keep": ("Keep", "保留"),
    "list.keep": ("Files to keep", "保留的文件"),
    "list.others": ("The other files", "其余的文件"),
    "table": ("Download the table of all groups (CSV)", "下载全部分组的表格（CSV）"),

    "why.pairs": ("Places that correspond; 1 is the strongest.", "互相对应的地方，1 的关联最强。"),
    "why.none": ("No places correspond.", "没有互相对应的地方。"),
    "why.shares": ("{first} of the first picture and {second} of the second speak for “the same”, {against} and "
                   "{against_second} against it.",
                   "支持“相同”的部分占第一张图的 {first}、第二张的 {second}；反对的占 {against} 和 {against_second}。"),
    "why.silent": ("No place of either picture says anything.", "两张图片都没有能说明问题的地方。"),
    "why.contradicted_same": ("The places contradict the verdict: more of them speak for “different”. Look at both "
                              "pictures yourself.",
                              "这些地方与结论相矛盾：更多的地方支持“不同”。请自己比较两张图片。"),
    "why.contradicted_different": ("The places contradict the verdict: more of them speak for “the same”. Look at both "
                                   "pictures yourself.",
                                   "这些地方与结论相矛盾：更多的地方支持“相同”。请自己比较两张图片。"),
    "why.windows": ("Red speaks for “the same”: found in the other picture, and nowhere else in its own. Blue speaks "
                    "against it: the other picture "
                    "has nothing like it. No colour says nothing: it is like many places.",
                    "红色支持“相同”：在另一张图片里能找到，而在本图其他地方找不到。蓝色反对："
                    "另一张图片里没有类似的地方。"
                    "没有颜色表示不说明问题：它与很多地方相似。"),
    "why.hiding": ("Red speaks for “the same”: painted over, the pictures are less alike. Blue speaks against it: "
                   "painted over, they are more alike. "
                   "No colour says nothing.",
                   "红色支持“相同”：涂掉之后两张图片不那么像。蓝色反对：涂掉之后更像。没有颜色表示不说明问题。"),
    "why.attention": ("Red speaks for “the same”: the model finds it in one place of the other picture. Blue speaks "
                      "against it: the model finds "
                      "nothing like it. No colour says nothing.",
                      "红色支持“相同”：模型在另一张图片的一处找到了它。蓝色反对：模型没有找到类似的地方。"
                      "没有颜色表示不说明问题。"),
    "why.map": ("Heat map of picture {number}", "图片 {number} 的热图"),
}

SAID = [  # lines of the program, and their Chinese
    (r"^these pictures are characters, the model learnt from photographs: [^;]*$",
     "这些图片是字符，而模型学的是照片：不要相信它的回答"),
    (r"^these pictures are photographs, the model learnt from characters: [^;]*$",
     "这些图片是照片，而模型学的是字符：不要相信它的回答"),
    (r"^these pictures look unlike those that the model learnt from: check its answers$", "这些图片与模型学过的不像："
                                                                                          "请核对它的回答"),
    (r"^these pictures look drawn or printed, such as pages, screens and logos, and the model learnt from what was "
     r"photographed: check its answers$",
     "这些图片像是画出来或印出来的（例如页面、屏幕截图、标志），而模型学的是照片：请核对它的回答"),
    (r"^the threshold (.*) was not measured: there is no thresholds.json beside the model, so check its answers$",
     r"阈值 \1 没有测量过：模型旁边没有 thresholds.json，请核对它的回答"),
    (r"^in its own test the model was hardly better than chance \(ROC-AUC (.*)\): [^;]*$",
     r"在自身测试中，模型几乎不比随机猜测好（ROC-AUC \1）：不要依赖它的回答"),
    (r"^these pictures are characters, and the newest run learnt from photographs: the ready model (.*) answers; "
     r"choose the model (.*) to ask the run$",
     r"这些图片是字符，而最新的训练学的是照片：由预训练模型 \1 回答；若要使用该训练的模型，请选择它（\2）"),
    (r"^these pictures are photographs, and the newest run learnt from characters: the ready model (.*) answers; "
     r"choose the model (.*) to ask the run$",
     r"这些图片是照片，而最新的训练学的是字符：由预训练模型 \1 回答；若要使用该训练的模型，请选择它（\2）"),
    (r"^(.*) has not ended: (.*) answers; choose the model (.*) to ask it$",
     r"\1 尚未结束：由 \2 回答；若要使用它，请选择它（\3）"),
]
