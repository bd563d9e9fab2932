"""Does the score fall as photos get worse, and does it agree with people? The same as evaluate.py --task=quality.

    python eval_rank.py                                              the newest rank run, on its test photos
    python eval_rank.py --dataset_path=PHOTOS --distortions=all      on other photos, other distortions
    python eval_rank.py --scores=scores.csv --higher_is_better       agreement with human scores
    python eval_rank.py --compare=logs/a,logs/b                      which of several rank runs learnt faster
"""

from tasks import measuring
from utils.run import startup

measuring.define_flags("quality")

if __name__ == "__main__":
    startup.run(measuring.main, measuring.check)
