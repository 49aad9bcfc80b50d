import csv
from pathlib import Path

import pytest

from aftersales.anger import is_angry

SAMPLES = Path(__file__).parents[3] / "shared/data/offensive-language"


@pytest.mark.parametrize(
    "text",
    [
        "WHERE IS MY ORDER",
        "This is late. WHERE IS MY ORDER?! Please answer.",
        "WHERE IS ORDER A-1001 NOW",
        "WHY IS LAMP-01 NOT HERE YET",
        "I WANT MY MONEY BACK!!!",
        "THIS IS UNACCEPTABLE… please answer",
        "I want 😡 GIVE IT BACK NOW 😡 please",
        "I’M SO MAD AT YOU",
        "ICH WILL MEIN GELD ZURÜCK",
        "ГДЕ МОЙ ЗАКАЗ",
        "THANK YOU",
        "PLEASE REPLY ASAP",
        "Hello\nWHERE IS MY ORDER\nthanks",
        "WHERE IS\nMY ORDER",
        "hello!!!WHERE IS MY ORDER",
        "好的。WHERE IS MY ORDER！",
    ],
)
def test_a_whole_sentence_in_capitals_is_angry(text: str) -> None:
    assert is_angry(text, "en")


@pytest.mark.parametrize(
    "text",
    [
        "OK",
        "NO WAY",
        "THANKS",
        "WHO IS IT",
        "UNACCEPTABLE",
        "I bought it from DHL and USPS",
        "The lamp is from IKEA. GREAT",
        "ORDER A-1001 LAMP-01",
        "LAMP-01 XYZ-22 ABC123456789",
        "RMA-1001 LAMP-RED MUG-BLUE",
        "1Z999AA10123456784 TBA123456789012",
        "I READ iPhone NOW please",
        "I want MY MONEY BACK NOW",
        "你好，请问 DHL TRACKING NUMBER 在哪里",
        "注文番号 ORDER NUMBER です",
        "see https://example.com/FOO/BAR SHOUT",
        "...",
        "!!!",
        "😡😡😡",
        "",
        "> WHERE IS MY ORDER NOW\nThanks for that",
        "All fine.\n\nThanks,\nJOHN SMITH",
        "All fine.\n\nKind regards,\nJOHN SMITH\nACME CORP LTD",
        "All fine.\n\nKIND REGARDS,\n\nWILL O'BRIEN-SMITH\nHEAD OF IT\nSMITH & SONS\n12 MAIN STREET, AUSTIN TX",
        "All fine.\nThanks and best wishes\nMARÍA DE LA CRUZ\nTEL: +1 555 0192\nWWW.ACME.EXAMPLE",
        "All fine.\nRegards, JO SMITH\nACME CORP LTD",
    ],
)
def test_no_whole_sentence_in_capitals(text: str) -> None:
    assert not is_angry(text, "en")


@pytest.mark.parametrize(
    "text",
    [
        "Fine.\nThanks,\nGIVE ME MY MONEY",
        "Fine.\nThanks,\nJOHN SMITH\nI WANT MY MONEY BACK",
        "Fine.\nThanks,\nREFUND ALL OF IT!",
        "WHERE IS MY ORDER\nKind regards,\nJO SMITH\nACME LTD",
        "THANK YOU",
        "KIND REGARDS",
        "Fine.\n\nWHERE IT STANDS\nACME CORP LTD",
    ],
)
def test_only_names_under_a_closing_are_no_sentence(text: str) -> None:
    assert is_angry(text, "en")


@pytest.mark.parametrize(
    "text",
    """f*ck you
F**K
f***
f@ck
fck this
F U C K
f.u.c.k
fuuuuck
fuсking useless
fu\u200bck
what the fuck?!
motherfucker
sh1t
this is sh*t
$hit
Shit.
s h i t
b1tch
you bastards
a$$hole
bullshit
bull-shit
wtf
WTF
What the hell is this
this is crap
damn it
where is my damn parcel
goddamn
the bloody lamp
他妈的
媽的
他媽的
什么破店，傻逼
你妈的
滚
草泥马
王八蛋
傻B客服
什么垃圾 tmd 客服
get off your lazy ass
my azz
bunch of pussies
p*ssies
you hoes""".replace("с", "c").split("\n"),
)
def test_profanity_is_angry(text: str) -> None:
    assert is_angry(text, "en")
    assert is_angry(text, "zh-CN")


@pytest.mark.parametrize(
    "text",
    [
        "I live in Scunthorpe",
        "My name is Dick Cockburn",
        "classic cocktail assessment",
        "Mr. Hancock of Sussex bought a peacock",
        "shiitake mushrooms",
        "a flame retardant cover",
        "hello, what is this",
        "damn good lamp",
        "5***** rating",
        "card ****1234 of J***n",
        "e.g. A B C D",
        "the whole grape document",
        "raccoon",
        "push it",
        "Penistone, Cockfosters, Middlesex and Lake Titicaca",
        "a pussy willow wreath and a pussy cat mug",
        "These hoes and rakes are for the allotment, a hoe is missing",
        "the great tit nesting box, a stopcock and a shuttlecock",
        "FAG bearings 6204 and a niggling noise",
        "an asset, an assortment and his assistant",
        "Kiss My Face soap for Mr. Van Dyke",
        "妈妈的生日礼物",
        "我妈的手机",
        "他妈妈收到了",
        "今天做操了",
        "草地上",
        "滚动条坏了",
        "垃圾桶坏了",
        "我靠谱",
    ],
)
def test_no_profanity(text: str) -> None:
    assert not is_angry(text, "en")
    assert not is_angry(text, "zh")


def test_quoted_profanity_is_not_the_customers() -> None:
    assert not is_angry("Fine by me.\n\nOn Mon, 1 Nov 2025 X wrote:\n> what the fuck", "en")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "so eine Scheiße"),
        ("de", "Wollt ihr mich verarschen?"),
        ("de", "Arschlöcher"),
        ("de", "verdammt nochmal"),
        ("de", "sch***"),
        ("fr", "C'est de la merde"),
        ("fr", "bande d'enculés"),
        ("fr", "p*tain"),
        ("fr", "allez vous faire voir"),
        ("fr", "vous me faites chier"),
        ("es", "vaya mierda de tienda"),
        ("es", "¡Hijos de puta!"),
        ("es", "no me jodan, joder"),
        ("es", "Cabrones"),
        ("ja", "クソ対応"),
        ("ja", "ふざけんな"),
        ("ja", "死ね"),
        ("ja", "くそ！"),
        ("de", "Das ist doch zum Kotzen"),
        ("fr", "Votre service me casse les couilles, ptn"),
        ("pt", "Cadê meu pedido, porra"),
        ("pt-BR", "vão tomar no cú"),
        ("pt", "que m*rda de loja"),
        ("zh", "你个瘪三"),
    ],
)
def test_profanity_in_other_languages_is_angry(language: str, text: str) -> None:
    assert is_angry(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Die Lampe ist verdammt gut"),
        ("de", "Ein Fernseher aus der Region, per DHL und UPS"),
        ("de", "Das ist eine Frechheit, ich gehe zum Anwalt."),
        ("fr", "Le concours et la confiture du conseiller"),
        ("fr", "Un chili con carne"),
        ("fr", "Je dispute ce paiement, c'est une honte"),
        ("es", "La computadora y el disputado reembolso"),
        ("es", "El cono de la lámpara"),
        ("es", "Son unos ladrones"),
        ("ja", "仕事で必死ねと言われた"),
        ("ja", "クッションと雑誌"),
        ("ja", "最低の対応です"),
        ("de", "Pik-Ass und Kreuz-Ass fehlen, und Barsch ist kein Schimpfwort"),
        ("fr", "La nappe est sale, le wok mongol est rayé"),
        ("pt", "O cuscuz de Cuiabá e o saco de lixo chegaram; o cágado de pelúcia não"),
        ("pt", "Computador disputado, viaduto e merenda"),
        ("zh", "我家狗比较小，想死妈妈了，窗户靠北边"),
        ("nl", "Hoe lang duurt de levering, en hoe krijg ik de doos?"),
    ],
)
def test_no_profanity_in_other_languages(language: str, text: str) -> None:
    assert not is_angry(text, language)


@pytest.mark.parametrize(
    ("language", "precision", "recall"),
    [("en", 0.9, 0.8), ("zh", 0.9, 0.03), ("de", 0.9, 0.12), ("fr", 0.8, 0.15), ("pt", 0.7, 0.7)],
)
def test_real_posts_that_are_found_angry_are_mostly_offensive(language: str, precision: float, recall: float) -> None:
    path = SAMPLES / f"{language}.csv"
    if not path.exists():
        pytest.skip(f"no offensive-language/{path.name} beside the checkout")
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["offensive"] == "1", is_angry(row["text"], language)) for row in csv.DictReader(file)]
    angry = [offensive for offensive, found in rows if found]
    all_offensive = sum(offensive for offensive, _ in rows)
    print(f"\n{language}: {len(rows)} posts, {len(angry)} angry, {sum(angry)} of them offensive (of {all_offensive})")
    assert sum(angry) >= precision * len(angry)
    assert sum(angry) >= recall * all_offensive
