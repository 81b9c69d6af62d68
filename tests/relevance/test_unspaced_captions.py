"""Captions without spaces: two captions of one scene are nearer to each other than to those of other scenes."""

from __future__ import annotations

import numpy as np
import pytest

from bcls.relevance import CiderScorer, TfidfScorer
from bcls.text import UnicodeWords

SCENES = {
    "Thai": [
        ("สุนัขสีน้ำตาลวิ่งบนสนามหญ้า", "สุนัขกำลังวิ่งบนหญ้า"),
        ("เด็กผู้หญิงกินไอศกรีม", "เด็กหญิงกำลังกินไอศกรีมอยู่"),
        ("ชายคนหนึ่งขี่จักรยานบนถนน", "ผู้ชายขี่จักรยานตามถนน"),
        ("แมวดำนอนบนเก้าอี้", "แมวสีดำนอนหลับบนเก้าอี้ไม้"),
        ("เรือสองลำในทะเล", "มีเรือสองลำอยู่กลางทะเล"),
    ],
    "Chinese": [
        ("一只棕色的狗在草地上奔跑", "狗在草地上跑"),
        ("小女孩在吃冰淇淋", "一个女孩吃着冰淇淋"),
        ("一个男人在路上骑自行车", "男子骑自行车沿着马路"),
        ("黑猫睡在椅子上", "一只黑色的猫在木椅上睡觉"),
        ("海上有两艘船", "两艘船在大海中"),
    ],
    "Japanese": [
        ("茶色の犬が芝生の上を走っている", "犬が草の上を走る"),
        ("女の子がアイスクリームを食べている", "少女がアイスクリームを食べる"),
        ("男性が道で自転車に乗っている", "男の人が道路を自転車で走る"),
        ("黒い猫が椅子の上で寝ている", "黒猫が木の椅子で眠っている"),
        ("海に船が二隻ある", "二隻の船が海に浮かぶ"),
    ],
}


def similarity_of(scorer, captions):
    """Of each caption to the other of its scene, and to those of other scenes."""
    found = scorer.fit(captions, np.arange(len(captions)) // 2).similarity(captions, captions)
    scene = np.arange(len(captions)) // 2
    others = found[scene[:, None] != scene].reshape(len(captions), -1)
    return found[np.arange(len(captions)), np.arange(len(captions)) ^ 1], others


@pytest.mark.parametrize("language", SCENES)
@pytest.mark.parametrize("make", [TfidfScorer, CiderScorer])
def test_characters_tell_scenes_apart(language, make):
    captions = [caption for scene in SCENES[language] for caption in scene]
    own, others = similarity_of(make(), captions)
    assert (own[:, None] > others).all()
    assert own.mean() > 3 * others.mean()


@pytest.mark.parametrize("make", [TfidfScorer, CiderScorer])
def test_a_dictionary_leaves_less_in_common_to_thai_captions_of_other_scenes(make):
    pytest.importorskip("icu4py")
    captions = [caption for scene in SCENES["Thai"] for caption in scene]
    by_character = similarity_of(make(), captions)[1].mean()
    own, others = similarity_of(make(UnicodeWords(unspaced="dictionary")), captions)
    assert (own[:, None] > others).all()
    assert others.mean() < by_character / 2
