"""What a study may be made of."""

from __future__ import annotations

import dataclasses

import pytest
import yaml

from bcls.errors import InputError
from bcls.study.config import METRICS, Pareto, StudyConfig, Sweep, Variant, parse_study, study_parser


def of(**fields) -> StudyConfig:
    return StudyConfig(**{"base": ["base.yaml"], "variants": {"a": Variant(), "b": Variant()}, "output": "o", **fields})


@pytest.mark.parametrize("fields", [{"variants": {}}, {"seeds": []}, {"metrics": []}])
def test_a_study_has_one_of_each(fields):
    with pytest.raises(InputError, match=r"^a study needs at least one of each: variants, seeds, metrics$"):
        of(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"jobs": 0}, "^jobs is 0; it must be at least 1$"),
        ({"seeds": [1, 2, 1]}, r"^seeds \[1, 2, 1\]: one stands there twice$"),
        ({"baseline": "c"}, "^no variant 'c'; there are: a, b$"),
        ({"sweeps": {"gap": Sweep("loss.gap", [1], ["a", "c"])}}, "^no variant 'c'; there are: a, b$"),
        ({"sweeps": {"gap": Sweep("loss.gap", [])}}, r"^sweeps\.gap: its values must be different, and at least one$"),
        ({"sweeps": {"gap": Sweep("loss.gap", [0.1, 0.2, 0.1])}}, r"^sweeps\.gap: its values must be different"),
        ({"sweeps": {"gap": Sweep("loss.gap", [0.1, "0.1"])}}, r"^sweeps\.gap: its values must be different"),
    ],
)
def test_what_is_no_study_is_refused(fields, message):
    with pytest.raises(InputError, match=message):
        of(**fields)


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a/"])
@pytest.mark.parametrize("what", ["variants", "models", "sweeps"])
def test_a_name_must_be_that_of_a_folder(what, name):
    made = Sweep("loss.gap", [0.1]) if what == "sweeps" else Variant()
    with pytest.raises(InputError, match=r"cannot be the name of a folder$") as caught:
        of(**{what: {name: made}})
    assert repr(name) in str(caught.value)


def test_what_is_left_out_has_its_default():
    study = of()
    assert (study.seeds, study.metrics, study.pareto) == ([0, 1, 2], list(METRICS), Pareto("rsum", "tau_b"))
    assert (study.name, study.models, study.sweeps, study.set) == (None, {}, {}, {})
    assert (study.jobs, study.baseline) == (None, None)
    study.metrics.append("mrr")
    study.seeds.append(3)
    assert (of().seeds, of().metrics) == ([0, 1, 2], list(METRICS))


@pytest.fixture
def parse(tmp_path):
    """`parse("--seeds", "[0]", base=...)`: a study from a file of these fields and further words."""

    def parse(*words, extra=(), option=None, **fields):
        file = tmp_path / "study.yaml"
        file.write_text(yaml.safe_dump({"base": ["b.yaml"], "output": "o", "variants": {"a": {}}, **fields}))
        parser = study_parser("bcls study", "")
        if option is not None:
            parser.add_argument(option, default="unsaid")
        return parse_study(parser, ["--config", str(file), *words], extra)

    return parse


def test_a_file_has_the_shape_of_the_classes(parse):
    study, rest = parse(
        variants={"a": {"title": "A", "configs": ["x.yaml"], "set": {"loss.gap": 0.1, "loss": "BCLSLoss"}}, "b": {}},
        models={"small": {"set": {"model.image_tower.dim": 8}}},
        sweeps={"gap": {"field": "loss.gap", "values": [0.0, "half", True], "variants": ["a"], "title": "the gap"}},
        set={"optimization.epochs": 2},
        seeds=[4, 5],
        jobs=3,
        baseline="b",
        metrics=["rsum"],
        pareto={"up": "ndcg@10"},
        name="trial",
    )
    assert rest == {}
    assert study == StudyConfig(
        base=["b.yaml"],
        variants={"a": Variant("A", ["x.yaml"], {"loss.gap": 0.1, "loss": "BCLSLoss"}), "b": Variant()},
        output="o",
        name="trial",
        models={"small": Variant(set={"model.image_tower.dim": 8})},
        sweeps={"gap": Sweep("loss.gap", [0.0, "half", True], ["a"], "the gap")},
        set={"optimization.epochs": 2},
        seeds=[4, 5],
        jobs=3,
        metrics=["rsum"],
        baseline="b",
        pareto=Pareto("rsum", "ndcg@10"),
    )
    assert all(dataclasses.is_dataclass(one) for one in (*study.variants.values(), *study.sweeps.values()))


def test_later_words_win_over_the_file(parse):
    study, _ = parse("--seeds", "[7]", "--output", "elsewhere", "--pareto", "null", seeds=[1, 2])
    assert (study.seeds, study.output, study.pareto) == ([7], "elsewhere", None)


def test_further_options_are_no_part_of_the_study(parse):
    study, rest = parse("--page", "results.md", extra=["page"], option="--page")
    assert rest == {"page": "results.md"}
    assert study == parse()[0]
    assert parse(extra=["page"], option="--page")[1] == {"page": "unsaid"}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"colour": 1}, "colour"),
        ({"seeds": ["many"]}, "seeds"),
        ({"variants": {"a": {"sets": {"x": 1}}}}, "sets"),
        ({"sweeps": {"gap": {"field": "loss.gap"}}}, "values"),
        ({"jobs": 0}, "jobs is 0"),
        ({"baseline": "c"}, "no variant 'c'"),
    ],
)
def test_a_file_of_another_form_is_refused_in_one_line(parse, fields, named):
    with pytest.raises(InputError, match=named) as caught:
        parse(**fields)
    assert "\n" not in str(caught.value)


def test_a_missing_value_or_file_is_named(tmp_path):
    with pytest.raises(InputError, match="required"):
        parse_study(study_parser("bcls study", ""), [])
    with pytest.raises(InputError, match="no\\.yaml"):
        parse_study(study_parser("bcls study", ""), ["--config", str(tmp_path / "no.yaml")])
