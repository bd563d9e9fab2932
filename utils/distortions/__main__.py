"""`python -m utils.distortions`: see `utils.distortions.catalogue`."""

from utils.distortions.catalogue import define_flags, main
from utils.run import startup

if __name__ == "__main__":
    define_flags()
    startup.run(main)
