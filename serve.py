"""Shows a page in the browser that answers what predict.py does: a tab for each question about which a model is asked.

    python serve.py                           this machine only: http://127.0.0.1:7860/
    python serve.py --folder=PHOTOS           search in this folder and those below it
    python serve.py --language=zh             in Chinese; the page has a switch too
    python serve.py --host=0.0.0.0            for others in the network as well: there is no password, see docs/page.md

It needs two more packages: pip install flask waitress
"""

import os
from functools import partial

from absl import flags

import tasks
from apps.page import server
from utils.flags import group
from utils.run import startup
from utils.saying import shown

FLAGS = flags.FLAGS
with group("The page"):
    flags.DEFINE_string("folder", "datasets", "Visitors may search this folder and those below it, and no others")
    flags.DEFINE_string("host", "127.0.0.1",
                        "Address to listen on. 127.0.0.1: only this machine; 0.0.0.0: everybody who reaches it")
    flags.DEFINE_integer("port", 7860, "Port to listen on. 0: any free one", 0, 65535)
    flags.DEFINE_enum("language", "auto", ["auto", "en", "zh"], "Language of the page. auto: that of the browser")
    tasks.define_runtime()
    flags.DEFINE_boolean("browser", True, "Open the page in the browser of this machine")


def main(argv: list[str]) -> None:
    """Serves the page until Ctrl-C."""
    import compare
    from apps.page import models, site

    local, root = server.is_local(FLAGS.host), os.path.expanduser(FLAGS.folder)
    waiting = server.listen(FLAGS.host, FLAGS.port)
    if not local:
        print(f"warning: whoever reaches this machine can open the page and see all pictures below {shown(root)}; "
              "there is no password")
    url = server.address(FLAGS.host, waiting.getsockname()[1])
    print(f"the page is at {url} ; visitors may search {shown(root)}; press Ctrl-C to end", flush=True)
    if FLAGS.browser:
        server.show(url)
    opened = models.Models(partial(compare.load, runtime=FLAGS.runtime))
    server.serve(site.make_site(opened, root, FLAGS.language, local), waiting)
    print("\nthe page is closed")


def check() -> None:
    """Refuses what is missing before the slow import of Keras: the packages, the folder, the port."""
    server.check_installed()
    if not os.path.isdir(os.path.expanduser(FLAGS.folder)):
        raise ValueError(f"--folder={FLAGS.folder}: no such folder; pass the one whose pictures may be searched")
    server.listen(FLAGS.host, FLAGS.port).close()


if __name__ == "__main__":
    startup.run(main, check)
