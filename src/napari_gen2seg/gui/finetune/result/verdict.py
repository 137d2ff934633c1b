"""Whether the new model is better, in words and colors."""

from __future__ import annotations

from typing import Any

from napari_gen2seg.gui.finetune.texts import WARNING
from napari_gen2seg.train.data.split import own_work_told
from napari_gen2seg.train.finetune.inference_settings import use_words

GREEN, RED, GRAY = "#50be78", "#e05a50", "#9a9fa8"
_LOST = 0.05  # of AP, from which proposals are worse for whoever keeps them
NOTHING_GAINED = (
    "No step of this training was better than the model you began with, so nothing "
    "has changed. Train longer (Standard), or label more objects."
)


def verdict_text(compared: dict[str, Any]) -> str:
    """Say in a sentence whether the new model is better."""
    verdict = compared.get("verdict")
    if compared.get("unchanged"):
        return (
            f'<span style="color:{GRAY}; font-size:14pt"><b>No improvement.</b>'
            f"</span><br>{NOTHING_GAINED}{_own_work(compared)}"
        )
    words = use_words(compared.get("use") or {})
    if not compared.get("pictures"):
        return (
            "<b>Nothing was held back, so nobody knows whether the new model is "
            f"better.</b> Color a picture with it and judge for yourself. {words}"
        )
    before = (compared.get("before") or {}).get("one_click")
    after = (compared.get("after") or {}).get("one_click")
    text, color = {
        "better": ("The new model is better", GREEN),
        "worse": ("The new model is worse", RED),
    }.get(str(verdict), ("There is no clear difference", GRAY))
    said = f'<span style="color:{color}; font-size:14pt"><b>{text}.</b></span><br>'
    if before is not None and after is not None:
        said += (
            "On objects it has not learned from, one click gives a mask that overlaps "
            f"the true one by {after:.0%}; before it was {before:.0%}."
        )
    low, high = compared.get("low"), compared.get("high")
    if low is not None and high is not None:
        said += f" (The gain lies between {_signed(low)} and {_signed(high)}.)"
    found = (compared.get("before") or {}).get("ap")
    finds = (compared.get("after") or {}).get("ap")
    if found is None or finds is None:
        found = finds = 0.0
    if verdict == "better" and finds < found - _LOST:
        said += (
            f'<br><span style="color:{RED}">But it finds objects worse without a '
            f"click</span>: their AP was {found:.2f} and is {finds:.2f}. Look at its "
            "proposals before you use it."
        )
    said += _own_work(compared)
    if words:
        said += f"<br>{words}"
    if verdict == "worse":
        said += (
            " Keep the old one; more labels, or a longer training, may help. It is "
            "never used unless you say so."
        )
    return said


def _own_work(compared: dict[str, Any]) -> str:
    """Say that it was judged by the old model's own work, where it was."""
    proposed, objects = compared.get("own_work") or (0, 0)
    told = own_work_told(int(proposed), int(objects))
    return f"<br>{WARNING.format(told)}" if told else ""


def _signed(share: float) -> str:
    """Write a gain or a loss; zero has no sign."""
    text = f"{share:+.0%}"
    return "0%" if text[1:] == "0%" else text


def change_text(
    before: Any, after: Any, more: bool, form: str, clear: bool = True
) -> str:
    """Write a change: green for the better, red for the worse, gray if unclear."""
    if before is None or after is None:
        return ""
    # Of the two as they are shown: 1.1 and 1.4 differ by 0.3 for who reads them.
    change = float(form.format(after)) - float(form.format(before))
    if form.format(abs(change)) == form.format(0):
        return f'<span style="color:{GRAY}">same</span>'
    color = GRAY
    if clear:
        color = GREEN if (change > 0) == more else RED
    sign = "+" if change > 0 else "−"
    return f'<span style="color:{color}">{sign}{form.format(abs(change))}</span>'
