"""The page in a real browser: pictures in, answers out, by mouse and by keyboard, for two visitors at once.

It needs flask, waitress and selenium, and Debian's chromium and chromium-driver.
"""

import shutil
import threading
import urllib.error
import urllib.request

import pytest
from PIL import Image

import compare
from apps.page import texts
from apps.page.site import TABS

from helpers import ROOT, SERVE, picture, scenery, served, told_by, with_made_up_room

pytest.importorskip("flask")
pytest.importorskip("waitress")
webdriver = pytest.importorskip("selenium.webdriver")
if not (shutil.which("chromium") and shutil.which("chromedriver")):
    pytest.skip("no chromium and chromium-driver", allow_module_level=True)

from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

pytestmark = pytest.mark.slow
SWITCHES = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update", "--disable-sync")
PHONE = {"deviceMetrics": {"width": 360, "height": 740, "pixelRatio": 2.0}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """root/own: photos and copies of two of them; root/out: a link that leads out; beside root a broken file and one of
    51 MB."""
    top = tmp_path_factory.mktemp("page")
    own = top / "root" / "own"
    own.mkdir(parents=True)
    for seed in range(4):
        Image.fromarray(scenery(seed=seed)).save(own / f"photo {seed}.png")
    for seed in range(2):
        Image.fromarray(scenery(seed=seed)[4:, 6:]).save(own / f"copy{seed}.jpg")
    picture(top / "elsewhere" / "secret.png")
    (top / "root" / "out").symlink_to(top / "elsewhere")
    (top / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    with open(top / "large.jpg", "wb") as file:
        file.truncate(51 * 2**20)
    return top


@pytest.fixture(scope="module")
def address(folder):
    """Where serve.py answers. At the end, Ctrl-C closes it without an error."""
    with served(folder, str(ROOT / "serve.py")) as found:
        yield found


@pytest.fixture(scope="module")
def browsers(tmp_path_factory):
    """A function that opens a browser, as a visitor of a language has it."""
    opened = []

    def start(language="en", phone=False):
        options = webdriver.ChromeOptions()
        for switch in (*SWITCHES, f"--lang={language}", f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
                       "--window-size=1100,900"):
            options.add_argument(switch)
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        if phone:
            options.add_experimental_option("mobileEmulation", PHONE)
        opened.append(webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))))
        return opened[-1]

    yield start
    for browser in opened:
        browser.quit()


@pytest.fixture(scope="module")
def browser(browsers):
    return browsers()


def ask(browser, url, **fields):
    """Fills in the form of a tab, sends it, and returns what the page answers."""
    browser.get(url)
    for name, text in fields.items():
        browser.find_element(By.ID, name).send_keys(str(text))
    browser.find_element(By.CSS_SELECTOR, "form button").click()
    return answer(browser)


def answer(browser):
    WebDriverWait(browser, 60).until(lambda page: page.find_elements(By.CSS_SELECTOR, "#answer h2"))
    return browser.find_element(By.ID, "answer").text


def test_two_pictures_give_the_numbers_of_the_model(browser, address, folder):
    files = [str(folder / "root" / "own" / name) for name in ("photo 0.png", "copy0.jpg")]
    said = ask(browser, f"{address}same", first=files[0], second=files[1])
    assert "The model photos was loaded just now" in said
    model = compare.load("photos")
    assert browser.find_element(By.ID, "similarity").text == f"{model.similarity(*files):.3f}"
    assert browser.find_element(By.ID, "threshold").text == f"{model.threshold:.3f}"
    assert ({"copy": "A copy", "different": "Different"}[model.prove(*files).verdict] in said
            and model.warning(files) in said)
    assert "Model: photos." in ask(browser, f"{address}same", first=files[0], second=files[1])  # it is loaded once


def test_broken_and_large_files_and_folders_elsewhere_give_their_line(browser, address, folder):
    good = folder / "root" / "own" / "photo 0.png"
    assert "broken.jpg: broken image" in ask(browser, f"{address}same", first=good, second=folder / "broken.jpg")
    assert "large.jpg: 51 MB" in ask(browser, f"{address}same", first=good, second=folder / "large.jpg")
    for name, line in (("out", "a link that leads out"), ("../elsewhere", "without .."),
                       (folder / "elsewhere", "not a name below")):
        assert line in ask(browser, f"{address}search", query=good, folder=name)
    assert "a link that leads out" in ask(browser, f"{address}duplicates", folder="")
    # without the page's script
    with open(folder / "large.jpg", "rb") as file, pytest.raises(urllib.error.HTTPError, match="413") as refused:
        mark = b"--mark\r\nContent-Disposition: form-data; name=\"first\"; filename=\"large.jpg\"\r\n\r\n"
        urllib.request.urlopen(urllib.request.Request(f"{address}same", mark + file.read() + b"\r\n--mark--\r\n",
                                                      {"Content-Type": "multipart/form-data; boundary=mark"}))
    assert "large.jpg: 51 MB" in refused.value.read().decode()


def test_the_other_tabs(browser, address, folder):
    own = folder / "root" / "own"
    said = ask(browser, f"{address}search", query=own / "copy1.jpg", folder="own")
    assert said.index("copy1.jpg", said.index("copy1.jpg") + 1) < said.index("photo 1.png") < said.index("photo 3.png")
    assert "Group 0" in ask(browser, f"{address}duplicates", folder="own")
    lists = [browser.find_element(By.ID, name).get_property("value").split() for name in ("keep", "others")]
    tick = browser.find_element(By.CSS_SELECTOR, ".keep:not(:checked)")
    tick.send_keys(Keys.SPACE)  # the lists follow
    changed = [browser.find_element(By.ID, name).get_property("value").split() for name in ("keep", "others")]
    assert ([len(names) for names in changed] != [len(names) for names in lists]
            and sorted(sum(changed, [])) == sorted(sum(lists, [])))
    said = ask(browser, f"{address}quality",
               photos="\n".join(map(str, [own / "photo 0.png", own / "photo 1.png", folder / "broken.jpg"])))
    assert "2 photos, the best first" in said and "broken.jpg: broken image" in said
    said = ask(browser, f"{address}places", first=own / "photo 2.png", second=own / "photo 2.png")
    assert "The same place" in said and len(browser.find_elements(By.CSS_SELECTOR, "#answer .large img")) == 1
    layers = browser.find_element(By.CSS_SELECTOR, "#answer .layers")
    under, over = layers.find_elements(By.TAG_NAME, "img")
    assert under.rect == over.rect and 100 < under.size["height"] <= browser.execute_script("return innerHeight")
    said = ask(browser, f"{address}why", first=own / "photo 0.png", second=own / "copy0.jpg")
    assert "Red speaks for" in said and len(browser.find_elements(By.CSS_SELECTOR, "#answer img")) == 3
    assert not [log for log in browser.get_log("browser") if "Content Security" in log["message"]]


def test_a_slider_is_no_higher_than_the_screen_where_photos_are(browser, address, folder):
    """A tall photo in a wide window."""
    Image.fromarray(scenery(600, 400, seed=9)).rotate(90, expand=True).resize((500, 1500)).save(folder / "tall.png")
    ask(browser, f"{address}places", first=folder / "tall.png", second=folder / "tall.png")
    under, over = browser.find_elements(By.CSS_SELECTOR, "#answer .layers img")
    height = browser.execute_script("return innerHeight")
    assert under.rect == over.rect and height / 2 < under.size["height"] < height
    assert under.size["height"] > 2 * under.size["width"]  # not stretched


def test_a_made_up_room_has_its_tab(browser, folder, tmp_path):
    with served(folder, "-c", with_made_up_room(tmp_path) + SERVE) as address:
        browser.get(address)
        tabs = browser.find_elements(By.CSS_SELECTOR, ".tabs a")
        assert [tab.text for tab in tabs] == [texts.text("en", f"{tab}.tab") for tab in TABS] + ["Echo"]
        tabs[-1].click()
        assert browser.find_element(By.TAG_NAME, "h1").text == "What comes back?"
        browser.find_element(By.ID, "call").send_keys("hello")
        browser.find_element(By.CSS_SELECTOR, "form button").click()
        said = answer(browser)
        assert "HELLO" in said and "The model silence was loaded just now" in said
        assert not [log for log in browser.get_log("browser") if "Content Security" in log["message"]]


def test_two_visitors_at_once(browser, browsers, address, folder):
    own, found = folder / "root" / "own", {}

    def visit(visitor, other):
        found[other] = ask(visitor, f"{address}same", first=own / "photo 0.png", second=own / other)

    pairs = [(browser, "photo 0.png"), (browsers(), "photo 3.png")]
    threads = [threading.Thread(target=visit, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "A copy" in found["photo 0.png"] and "Different" in found["photo 3.png"]


def test_the_keyboard_is_enough_in_chinese_and_on_a_phone(browsers, address, folder):
    page = browsers("zh-CN", phone=True)
    page.get(address)
    reached = []
    for _ in range(30):
        webdriver.ActionChains(page).send_keys(Keys.TAB).perform()
        here = page.switch_to.active_element
        reached.append(here.get_attribute("id") or here.text or here.tag_name)
        if here.get_attribute("type") == "file":
            here.send_keys(str(folder / "root" / "own" / "photo 0.png"))
        if here.tag_name == "button":
            here.send_keys(Keys.ENTER)
            break
    assert reached[:3] == ["跳到提问区", "English", "中文"] and reached[-4:] == ["first", "second", "model", "比较"]
    assert reached[3:-4] == [texts.text("zh", f"{tab}.tab") for tab in TABS]
    # a reader of the screen goes on there
    assert "是副本" in answer(page) and page.switch_to.active_element.tag_name == "h2"
    for tab in TABS:
        page.get(address + tab)
        assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth"), tab
        edges = {round(zone.rect["x"]) for zone in page.find_elements(By.CSS_SELECTOR, ".zone, .field")}
        assert len(edges) <= 1, tab  # one column


def test_a_port_that_is_taken_is_one_line(address, folder, script):
    port = address.rstrip("/").rsplit(":", 1)[1]
    said = script("serve.py", f"--port={port}", f"--folder={folder}", "--nobrowser", expect=2)
    assert said.strip().startswith(f"error: --port={port}: another program uses it") and said.count("\n") == 1


def test_help_needs_neither_keras_nor_flask():
    code = ("import sys, json, serve\nprint(json.dumps([name for name in ('keras', 'flask', 'numpy', 'compare') if "
            "name in sys.modules]))")
    assert told_by(code, fresh=True) == []
