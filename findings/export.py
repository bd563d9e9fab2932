import json
import logging

from label_studio_sdk.converter import Converter

logging.disable()
CONFIG = """<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">
<Label value="cat"/></RectangleLabels></View>"""


def task(number):
    box = {"x": 40, "y": 30, "width": 30, "height": 20, "rotation": 0, "rectanglelabels": ["cat"]}
    result = {"id": "a", "type": "rectanglelabels", "from_name": "label", "to_name": "image", "original_width": 200,
              "original_height": 100, "image_rotation": 0, "value": box}
    return {"id": number, "data": {"image": f"{number}.png"},
            "annotations": [{"id": number, "completed_by": {"id": 1}, "result": [result]}]}


with open("tasks.json", "w") as file:
    json.dump([task(number) for number in range(1, 11)], file)
Converter(CONFIG, ".", download_resources=False).convert_to_coco(
    "tasks.json", "coco", is_dir=False, output_image_dir="coco/images")
