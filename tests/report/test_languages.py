"""What is said in English is said in Chinese: the table of translations, the packaged study, and its sentences."""

import ast
import dataclasses
import re
from pathlib import Path
from string import Formatter

import pytest

import kerazoo
from kerazoo.ledger.study import load_study
from kerazoo.report import answers, chinese, stories, wording
from kerazoo.report.languages import UNITS, is_chinese, quantity, say
from kerazoo.schema import Claim, Verdict

SOURCES = Path(kerazoo.__file__).parent / "report"


def literals(node):
    """The texts that an argument of `say` may be, as far as they stand there."""
    if isinstance(node, ast.Constant):
        return [node.value]
    return [*literals(node.body), *literals(node.orelse)] if isinstance(node, ast.IfExp) else []


def asked():
    """Every text that is given to `say` where it stands, in Python and in the template."""
    for path in SOURCES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
                yield from literals(node.args[0])
    template = (SOURCES / "templates" / "page.html.j2").read_text(encoding="utf-8")
    yield from re.findall(r'say\("([^"]+)"', template)


def test_every_text_has_its_chinese_and_no_other_has():
    assert set(asked()) <= set(chinese.TEXTS)
    others = [path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.*") if path.suffix in (".py", ".j2")]
    constants = {
        node.value
        for text in others
        if "__future__" in text and "TEXTS = {" not in text
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant)
    }
    verdicts = {wording.words(verdict) for verdict in wording.MEANINGS}
    of_entries = {text for entry in load_study().entries for text in (entry.kind, entry.section, *entry.parts)} | {
        "Curves"
    }
    unused = set(chinese.TEXTS) - constants - set(asked()) - verdicts - of_entries
    template = (SOURCES / "templates" / "page.html.j2").read_text(encoding="utf-8")
    assert [text for text in unused if f'"{text}"' not in template] == []


@pytest.mark.parametrize("text", chinese.TEXTS)
def test_a_translation_has_the_placeholders_of_the_text(text):
    def names(form):
        return {name for _, name, _, _ in Formatter().parse(form) if name}

    assert names(chinese.TEXTS[text]) == names(text)
    assert is_chinese(chinese.TEXTS[text]) or not re.search("[a-z]", re.sub(r"\{\w+\}", "", chinese.TEXTS[text]))


def test_units_and_texts_of_the_packaged_study_are_there_in_chinese():
    study = load_study()
    assert {entry.unit for entry in study.entries} - {""} <= set(UNITS)
    assert all(is_chinese(entry.title_zh) for entry in study.entries)
    for figure in study.figures:
        told = {name for name in ("title", "remark", "across") if " " in getattr(figure, name)}
        told |= {"heading"} if figure.heading != "Curves" else set()
        assert {name for name in told if not is_chinese(getattr(figure.zh, name))} == set(), figure.title


def told_in_chinese(text):
    """Whether a text is Chinese, or a formula."""
    return is_chinese(text) or (text and not re.search("[a-z]{3}", text))


def test_every_claim_of_the_packaged_study_has_its_chinese():
    missing = []
    for entry in load_study().entries:
        wanted = {"metric"} | {name for name in ("caveat", "design") if getattr(entry, name)}
        missing += [f"{entry.id}: zh.{name}" for name in sorted(wanted) if not told_in_chinese(getattr(entry.zh, name))]
        needs_answer = entry.rule in ("true", "source", "runs")
        if (needs_answer and not entry.answer) or (entry.answer and not is_chinese(entry.answer.zh)):
            missing.append(f"{entry.id}: answer.zh")
    assert missing == []


def test_every_claim_has_a_sentence_in_both_languages(contents):
    for claim in contents.claims:
        assert answers.answer(claim)
        assert is_chinese(answers.answer(claim, "zh"))


def claim(**fields):
    given = {one.name: "" for one in dataclasses.fields(Claim) if one.default is dataclasses.MISSING}
    numbers = {"documented": 0.819, "tolerance": 0.01, "measured": 0.802, "sd": 0.01, "interval": (0.777, 0.827)}
    shape = {"n": 3, "metric": "accuracy of one less that of the other", "zh": {"metric": "两者准确率之差"}}
    return Claim(**{**given, **numbers, **shape, "rule": "equivalence", "verdict": "undecided", **fields})


@pytest.mark.parametrize(
    ("fields", "english", "chinese"),
    [
        (
            {"decides": 23},
            "Measured 0.802 ± 0.025, printed 0.819; 3 seeds cannot decide, about 23 would.",
            "实测0.802 ± 0.025，文中0.819；只测了3次，不足以判定，约需23次。",
        ),
        (
            {"verdict": "not_reproduced"},
            "Measured 0.802 ± 0.025 (3 seeds), printed 0.819: more than 0.01 apart.",
            "实测0.802 ± 0.025（3次），文中0.819，相差超过允许的0.01。",
        ),
        (
            {"rule": "effect", "verdict": "holds", "tolerance": 0.0, "unit": "nats"},
            "Accuracy of one less that of the other: 0.802 ± 0.025 nats (3 seeds); it had to lie above 0, and does.",
            "两者准确率之差：0.802 ± 0.025奈特（3次），95%区间高于0。",
        ),
        (
            {"rule": "effect", "n": 1, "sd": None, "interval": None},
            "Accuracy of one less that of the other: 0.802; one seed cannot decide.",
            "两者准确率之差：0.802；只测了1次，不足以判定。",
        ),
        (
            {"rule": "equal", "verdict": "wrong", "n": 1, "documented": 1, "measured": 2, "unit": "class"},
            "It is class 2, not class 1.",
            "实为第2类，而非第1类。",
        ),
        (
            {"rule": "runs", "verdict": "not_runnable", "repairs": ({"call": "f(x)", "error": "TypeError"},)},
            "As printed it fails at `f(x)`: TypeError",
            "程序按原样运行到`f(x)`时报错：TypeError",
        ),
        ({"answer": "So it is.", "zh": {"answer": "正是如此。"}}, "So it is.", "正是如此。"),
    ],
)
def test_a_verdict_is_told_in_a_sentence(fields, english, chinese):
    found = claim(**{**fields, "verdict": kerazoo.Verdict(fields.get("verdict", "undecided"))})
    assert answers.answer(found) == english
    assert answers.answer(found, "zh") == chinese


@pytest.mark.parametrize("rule", answers._SENTENCES)
@pytest.mark.parametrize("verdict", wording.MEANINGS)
def test_a_rule_has_a_sentence_for_each_verdict_that_it_gives(rule, verdict):
    gives = {
        "equivalence": ("reproduced", "not_reproduced", "undecided"),
        "effect": ("holds", "not_reproduced", "undecided", "mixed"),
        "true": ("holds", "wrong", "mixed", "reproduced", "not_reproduced"),
        "equal": ("holds", "wrong", "reproduced", "not_reproduced"),
        "runs": ("holds", "not_runnable"),
        "unstated": ("not_comparable",),
        "timing": ("not_comparable",),
        "source": ("holds", "wrong", "mixed", "not_comparable", "not_measured"),
    }
    if verdict in gives[rule]:
        parts = {"loss": Verdict.HOLDS, "accuracy": Verdict.WRONG} if verdict == "mixed" else {}
        found = claim(rule=rule, verdict=verdict, parts=parts, reason="So it is.", note="So it is.")
        assert answers.answer(found) and is_chinese(answers.answer(found, "zh"))


def test_an_unknown_unit_and_a_title_without_chinese_stay():
    assert quantity("3", "bananas", "zh") == "3 bananas"
    assert wording.title(claim(title="My blog"), "zh") == "My blog"
    with pytest.raises(KeyError):
        say("nobody translated this", "zh")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("000: §2-4; §3.4, §6", "文章000：§2-4；§3.4、§6"),
        ("Graves 2013, section 2; 002: §4.2 (1.-3., 5.)", "Graves 2013, section 2；文章002：§4.2（第1至3、5项）"),
        ("001: §5.2 (f(x, y)), §6 (将, 有望); B., 2.", "文章001：§5.2（f(x, y)）、§6（将、有望）；B., 2."),
        ("A. 2019; document 001, sections 2.1 and 2.2", "A. 2019；文章001：§2.1、§2.2"),
        ("A. Author, A Book, 2016, section 6.5", "A. Author, A Book, 2016, section 6.5"),
    ],
)
def test_places_in_the_documents_are_cited_in_chinese(given, told):
    assert wording.reference(claim(reference=given), "zh") == told
    assert wording.reference(claim(reference=given)) == given


def test_a_list_has_its_unit_in_chinese():
    assert quantity("[2, 10, 2]", "neurons", "zh") == "2、10、2个神经元"


@pytest.mark.parametrize(
    ("curve", "told"),
    [
        ([0.5, 0.4, 0.9, 1.2], "实测：测试损失先从0.5降到第2轮的0.4，再升到1.2，为最低值的3.0倍。"),
        ([0.5, 0.4], "实测：测试损失从0.5降到0.4。"),
        ([0.5, 0.6], "实测：测试损失一路上升，从0.5到0.6。"),
        ([0.5], "实测：测试损失为0.5。"),
    ],
)
def test_a_curve_tells_its_story_in_chinese(curve, told):
    assert stories.of_curve("test loss", [curve, curve], {}, language="zh") == told


def test_pictures_tell_what_to_see_in_chinese():
    assert stories.of_confusion([[9, 1], [0, 10]], "zh").startswith("20个中认错1个，最常把0认作1（1次）")
    assert stories.of_lines({"a": [[5, 4]], "b": [[0.1, 4]]}, False, "zh") == "起点处：a 5，b 0.1；a是b的50倍。"
    attention = stories.of_weights([[1, 0], [0.5, 0.5]], ["q", "r"], ["k", "l"], "zh")
    assert attention == "q对k的权重最大（1.000）；r对各项的权重都相同。"
    printed = stories.of_curve("test loss", [[0.5, 0.4]], {1: 0.3, 2: 0.2}, language="zh")
    assert printed == "实测：测试损失从0.5降到0.4；文中从0.3到0.2，第2轮比实测低0.2。"


def test_the_parts_of_every_claim_have_their_chinese():
    names = {name for entry in load_study().entries for name in entry.parts}
    assert names - set(chinese.TEXTS) == set()


def test_a_claim_of_parts_says_which_hold():
    parts = {"test loss": Verdict.NOT_REPRODUCED, "gap in loss": Verdict.HOLDS, "against tanh": Verdict.NOT_REPRODUCED}
    claim = dataclasses.replace(
        kerazoo.claims()[0], rule="effect", verdict=Verdict.MIXED, answer="", zh={}, parts=parts
    )
    assert answers.answer(claim) == "Not reproduced: test loss, against tanh; holds: gap in loss."
    assert answers.answer(claim, "zh") == "测试损失、与tanh相比：不符；训练与测试损失之差：成立。"
    parts = {"test loss": Verdict.HOLDS, "against tanh": Verdict.UNDECIDED}
    claim = dataclasses.replace(claim, verdict=Verdict.UNDECIDED, parts=parts, n=2, decides=18)
    assert answers.answer(claim) == "Holds: test loss; undecided: against tanh. 2 seeds cannot decide, about 18 would."
    assert answers.answer(claim, "zh") == "测试损失：成立；与tanh相比：证据不足。只测了2次，不足以判定，约需18次。"
    claim = dataclasses.replace(claim, verdict=Verdict.HOLDS, parts=dict.fromkeys(parts, Verdict.HOLDS))
    assert answers.answer(claim) == "In all parts: test loss, against tanh."
    assert answers.answer(claim, "zh") == "测试损失、与tanh相比均如此。"
