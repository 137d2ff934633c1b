"""Progress: who made the objects, by which model, how fast."""

from napari_gen2seg.project.origin import Origin
from napari_gen2seg.project.progress import BY_HAND, progress_of


def test_objects_are_told_by_model_and_maker():
    first = {
        1: Origin("human", "mini", at=100.0),
        2: Origin("corrected", "mini", at=130.0),
        3: Origin("proposed", "mini", at=160.0),
        4: None,
    }
    second = {
        1: Origin("proposed", "mine", at=5000.0),
        2: Origin("proposed", "mine", at=5006.0),
        3: Origin("imported"),
    }
    by_hand, mini, mine = progress_of([first, second])
    assert (by_hand.model, by_hand.objects, by_hand.drawn) == (BY_HAND, 2, 2)
    assert by_hand.rate is None
    assert (mini.unchanged, mini.corrected, mini.clicked, mini.drawn) == (1, 1, 1, 0)
    assert mini.minutes == 1.0
    assert mini.rate == 3.0
    assert (mine.unchanged, mine.rate) == (2, 20.0)


def test_pauses_are_no_work():
    times = (0.5, 10.5, 7200.0, 7210.0)
    image = {n: Origin("human", "mini", at=at) for n, at in enumerate(times, 1)}
    (found,) = progress_of([image])
    assert round(found.minutes * 60) == 20


def test_no_object_no_progress():
    assert progress_of([{}]) == []
