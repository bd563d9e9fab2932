"""How good is a model? Writes figures and tables beside it.

    python evaluate.py                                                the newest run, on what it held out
    python evaluate.py --model=logs/RUN --json
    python evaluate.py --one_shot_runs=datasets/all_runs.zip          similarity: Lake's 20-way one-shot runs too
    python evaluate.py --dataset_path=~/pictures --train_own_data     similarity: on other images
    python evaluate.py --task=quality --distortions=all               quality: order of the levels of other distortions
    python evaluate.py --scores=scores.csv --higher_is_better         quality: agreement with human scores
    python evaluate.py --compare=logs/a,logs/b                        quality: which of several runs learnt faster
    python evaluate.py --task=superres --dataset_path=Set5            larger photos beside their originals
    python evaluate.py --task=perceptual --dataset_path=PHOTOS        how near a generator comes, to the eye
    python evaluate.py --task=detect --dataset_path=FOLDER            how well objects are found: AP as COCO's
"""

from tasks import ROOMS, measuring
from utils.run import startup

measuring.define_flags(*ROOMS)

if __name__ == "__main__":
    startup.run(measuring.main, measuring.check)
