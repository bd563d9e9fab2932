"""What is written on the drawn pictures: names, dates, amounts, messages, sentences, lines of code."""

import re

from docs.lookalikes.scene import Rng, pick

FIRST = (
    "Anna Ben Clara David Elena Felix Greta Hassan Ines Jonas Katya Luis Maria Noah Olivia Pavel Quinn Rosa Samir Tara "
    "Ursula Viktor Wanda Xenia Yusuf Zoe Amira Bjorn Chen Dunja Emeka Fiona"
).split()
LAST = (
    "Adams Becker Costa Diaz Eriksen Fischer Garcia Huang Ivanov Jansen Kaya Lopez Mbeki Novak Okafor Petrov "
    "Quist Rossi "
    "Silva Tanaka Urban Vogel Weber Yilmaz Zhang Almeida Brandt Cohen Dubois Evans"
).split()
TOWNS = (
    "Aldbury Brookfield Carrick Dunmore Eastwick Fairhaven Glenview Harwood Kingsley Lindau Marlow Northam Oakham "
    "Pemberton Queensbury Riverton Salford Tilbury Upton Westbrook"
).split()
STREETS = (
    "Mill Lane|High Street|Station Road|Park Avenue|Church Street|Elm Drive|Harbour Road|Victoria Square|Orchard Way|"
    "Bridge Street|Castle Hill|Market Place"
).split("|")
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
GOODS = (
    "Whole milk 1L|Brown bread|Butter 250g|Free range eggs|Apples loose|Bananas|Tomatoes 500g|Coffee beans|Green tea|"
    "Rice 1kg|Olive oil|Cheddar 200g|Yoghurt plain|Orange juice|Dark chocolate|Pasta penne|Onions|Carrots 1kg|Honey|"
    "Dish soap|Paper towels|Batteries AA|Salmon fillet|Chicken breast|Mineral water|Crisps salted|Frozen peas"
).split("|")
FIRMS = (
    "Northwind|Bluebird|Hartmann & Sons|Silverline|Evergreen|Acorn|Lakeside|Meridian|Pinnacle|Redwood|Summit|Tidal|"
    "Crescent|Falcon|Granite"
).split("|")
ADJECTIVES = (
    "new small quiet annual early local public final second open green main large common recent steady useful simple "
    "careful bright modern northern regional weekly"
).split()
NOUNS = (
    "report garden office project budget market river meeting bridge library school survey contract harvest "
    "engine station "
    "gallery village theatre committee kitchen workshop forest museum journey letter season programme"
).split()
VERBS = (
    "opens follows supports replaces improves describes needs reaches crosses explains shows covers includes receives "
    "protects changes welcomes measures"
).split()
PLACES = (
    "in the north|near the harbour|before summer|this year|after lunch|on the second floor|at the old mill|"
    "by the end of May|"
    "for all members|without delay|along the coast|during the week"
).split("|")
MESSAGES = {
    "en": (
        "Are you still coming on {day}?|See you at {time}|ok|haha yes|I left the keys with {first}|"
        "Can you call me back?|"
        "The train is late again, about {small} minutes|Happy birthday {first}!!|"
        "Just paid {money}, can you send me half?|"
        "What was the name of that place in {town}?|No idea, ask {first}|Running late, start without me|"
        "Sounds good to me|"
        "Did you get the photos?|My new number is {phone}|Thank you so much|I think the {noun} is in {street}|"
        "We need milk, bread and {small} eggs|{day} works better for us|Good night|Where are you?|"
        "On my way, {small} min|"
        "The {adjective} {noun} {verb} the {noun}, can you believe it?|Not today, sorry|"
        "Let's meet at {street} {small} then"
    ),
    "de": (
        "Kommst du am Samstag?|Bis um {time} Uhr|Ja, gerne|Ich habe {small} Brötchen gekauft|Der Zug hat Verspätung|"
        "Kannst du {first} anrufen?|Keine Ahnung|Schöne Grüße aus {town}|Das Treffen ist erst um {time}|Gute Nacht|"
        "Hast du die Schlüssel?|Wir sind schon da, Haus Nummer {small}|Alles klar, danke dir"
    ),
    "es": (
        "¿Vienes el sábado?|Nos vemos a las {time}|Vale|Ya compré {small} entradas|El tren llega tarde|Llama a {first}|"
        "No lo sé|Un abrazo desde {town}|La reunión es a las {time}|Buenas noches|¿Tienes las llaves?|Muchas gracias|"
        "Mañana te cuento, número {small}"
    ),
    "ru": (
        "Ты придёшь в субботу?|Увидимся в {time}|Да, конечно|Я купил {small} билета|Поезд опаздывает|Позвони мне|"
        "Не знаю|Привет из города|Встреча только в {time}|Спокойной ночи|Где ключи?|Спасибо большое|"
        "Мы уже дома, квартира {small}"
    ),
    "el": (
        "Θα έρθεις το Σάββατο;|Τα λέμε στις {time}|Ναι, βέβαια|Πήρα {small} εισιτήρια|Το τρένο αργεί|Πάρε με τηλέφωνο|"
        "Δεν ξέρω|Χαιρετισμούς|Η συνάντηση είναι στις {time}|Καληνύχτα|Πού είναι τα κλειδιά;|Ευχαριστώ πολύ"
    ),
}
CODE = (
    "import {noun}|from {noun} import {verb}, {noun}|def {verb}_{noun}(self, {noun}, count={small}):|"
    "    return {noun}.{verb}({small})|"
    '    if {noun} is None or {noun} > {small}:|        raise ValueError("no {adjective} {noun}")|'
    "    for {noun} in {noun}s[{small}:]:|"
    "        {noun} = {verb}({noun}, limit={number})|class {Noun}{Noun2}:|"
    "    # the {adjective} {noun} {verb} the {noun}|"
    '    {noun} = {{"{adjective}": {small}, "{noun}": {number}}}|        self.{noun}.append({small} * {noun})|'
    "    while {noun}:|"
    '    with open("{noun}.json") as file:|        print("{verb}", {noun}, {small})|    assert {noun} == {number}|'
    "    {adjective} = [{noun} for {noun} in range({small})]|"
)
SYMBOLS = r"{(\w+)}"


def say(rng: Rng, template: str) -> str:
    """A template with its slots filled."""
    slots = re.sub(SYMBOLS, lambda match: SLOTS[match[1]](rng), template)
    return slots.replace("{{", "{").replace("}}", "}")


def digits(rng: Rng, count: int) -> str:
    """Some digits, the first not 0."""
    return str(int(rng.integers(1, 10))) + "".join(str(digit) for digit in rng.integers(0, 10, count - 1))


def amount(rng: Rng, low: float = 0.5, high: float = 30) -> float:
    """A price."""
    return round(float(rng.uniform(low, high)), 2)


def person(rng: Rng) -> str:
    """First and last name."""
    return f"{pick(rng, FIRST)} {pick(rng, LAST)}"


def date(rng: Rng) -> str:
    """A day, as on a form."""
    return f"{rng.integers(1, 29):02d}.{rng.integers(1, 13):02d}.{rng.integers(1960, 2026)}"


def clock(rng: Rng) -> str:
    """A time of day."""
    return f"{rng.integers(6, 24)}:{rng.integers(60):02d}"


def phone(rng: Rng) -> str:
    """A telephone number."""
    return f"+{rng.integers(10, 99)} {digits(rng, 3)} {digits(rng, 3)} {digits(rng, 4)}"


def address(rng: Rng) -> str:
    """A street and its number."""
    return f"{rng.integers(1, 199)} {pick(rng, STREETS)}"


def mail(rng: Rng) -> str:
    """An address of electronic mail."""
    return f"{pick(rng, FIRST)}.{pick(rng, LAST)}@{pick(rng, NOUNS)}.example".lower()


def sentence(rng: Rng) -> str:
    """A sentence that says nothing much."""
    words = say(
        rng,
        pick(
            rng,
            (
                "the {adjective} {noun} {verb} the {noun} {place}",
                "every {noun} {verb} a {adjective} {noun}",
                "{first} {last} {verb} the {noun} of {town} {place}",
                "the {noun} {verb} {small} of {number} {noun}s",
                "after the {adjective} {noun}, the {noun} {verb} what the {noun} {verb}",
            ),
        ),
    )
    return words[0].upper() + words[1:] + "."


def prose(rng: Rng, sentences: int) -> str:
    """Some sentences."""
    return " ".join(sentence(rng) for _ in range(sentences))


def title(rng: Rng) -> str:
    """A headline."""
    return say(
        rng,
        pick(
            rng,
            (
                "The {adjective} {noun}",
                "{Noun} {place}",
                "{Noun} and {noun}",
                "A {adjective} {noun} for {town}",
                "Our {noun} {verb} the {noun}",
                "{town}: {adjective} {noun}s",
            ),
        ),
    )


def message(rng: Rng, language: str = "en") -> str:
    """What one writes in a chat."""
    return say(rng, pick(rng, MESSAGES[language].split("|")))


def code_line(rng: Rng) -> str:
    """A line of a program."""
    return say(rng, pick(rng, CODE.split("|")))


SLOTS = {
    "day": lambda rng: pick(rng, DAYS),
    "time": clock,
    "first": lambda rng: pick(rng, FIRST),
    "last": lambda rng: pick(rng, LAST),
    "town": lambda rng: pick(rng, TOWNS),
    "street": lambda rng: pick(rng, STREETS),
    "noun": lambda rng: pick(rng, NOUNS),
    "Noun": lambda rng: pick(rng, NOUNS).capitalize(),
    "Noun2": lambda rng: pick(rng, NOUNS).capitalize(),
    "adjective": lambda rng: pick(rng, ADJECTIVES),
    "verb": lambda rng: pick(rng, VERBS),
    "place": lambda rng: pick(rng, PLACES),
    "small": lambda rng: str(int(rng.integers(2, 60))),
    "number": lambda rng: digits(rng, 4),
    "phone": phone,
    "money": lambda rng: f"{amount(rng, 5, 90):.2f}",
    "month": lambda rng: pick(rng, MONTHS),
}
