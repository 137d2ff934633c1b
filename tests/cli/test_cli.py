"""The command line as a person meets it: real commands, real files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from skimage import data
from tests.helpers.command_line import run, run_here

import napari_gen2seg
from napari_gen2seg import (
    Coloring,
    ProposalSettings,
    load_model,
    load_probe,
    paint,
    select,
)
from napari_gen2seg.cli.main import COMMANDS
from napari_gen2seg.metrics.click_protocol import answerer
from napari_gen2seg.models.probes import chosen_probe

POINT = ("segment", "COINS", "--point", "48,40")
PAPER = ("segment", "COINS", "--point", "48,40", "--rule", "paper")


@pytest.fixture(scope="module")
def coins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "coins.png"
    iio.imwrite(path, data.coins())
    return path


HELP = """
import sys
from napari_gen2seg.cli.main import COMMANDS, main

for words in ([], *([command] for command in COMMANDS)):
    try:
        main([*words, "--help"])
    except SystemExit as ending:
        assert not ending.code
print(sorted({"numpy", "torch", "scipy", "qtpy", "napari"} & set(sys.modules)))
"""


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", HELP], capture_output=True, text=True, check=True
    )
    for command in COMMANDS:
        assert f"\n  {command} " in shown.stdout
        assert f" {command} [OPTIONS]" in shown.stdout
    assert shown.stdout.splitlines()[-1] == "[]"


def test_the_installed_script_is_the_same_command_line() -> None:
    script = shutil.which("napari-gen2seg", path=str(Path(sys.executable).parent))
    assert script is not None
    shown = subprocess.run([script, "--version"], capture_output=True, text=True)
    assert shown.stdout.strip().endswith(napari_gen2seg.__version__)


def test_unknown_command_is_refused() -> None:
    refused = run_here("colour")
    assert refused.returncode == 2
    assert "No such command 'colour'" in refused.stderr


def test_models_lists_what_there_is() -> None:
    listed = json.loads(run_here("models", "--json").stdout)
    assert [entry["id"] for entry in listed[:2]] == ["mini", "reachomk/gen2seg-sd"]
    assert [entry["id"] for entry in listed] == [
        spec.id for spec in napari_gen2seg.list_models()
    ]
    text = run("models").stdout
    assert "reachomk/gen2seg-mae-h" in text
    assert "license" in text


def test_color_writes_the_very_map_python_gives(
    coins: Path, tiny_offsets: Path, tmp_path: Path
) -> None:
    target = tmp_path / "new folder" / "map.tif"
    options = ("--model", tiny_offsets, "--resolution", 96, "--device", "cpu")
    done = run("color", coins, "-o", target, *options)
    assert done.returncode == 0, done.stderr
    model = load_model(tiny_offsets, device="cpu")
    ours = model.color(data.coins(), 96)
    written = Coloring.load(target)
    # Another process may sum in another order; where pointers of random weights part,
    # a pixel goes to either place: 0.7 % were seen to.
    same = np.isclose(written.values, ours.values, atol=0.05)
    assert same.mean() > 0.97
    assert written.source_shape == data.coins().shape
    assert str(tiny_offsets) in written.model_id or written.model_id == model.spec.id


def test_more_passes_keep_the_map_and_add_others(
    coins: Path, tiny_sd: Path, tmp_path: Path
) -> None:
    target = tmp_path / "map.tif"
    options = ("--model", tiny_sd, "--resolution", 96, "--device", "cpu")
    done = run_here("color", coins, "-o", target, "--passes", 2, *options)
    assert done.returncode == 0, done.stderr
    ours = load_model(tiny_sd, device="cpu").color(data.coins(), 96, passes=2)
    written = Coloring.load(target)
    assert written.extra_maps is not None and ours.extra_maps is not None
    np.testing.assert_allclose(written.extra_maps, ours.extra_maps, atol=0.05)


def test_a_typical_diameter_chooses_the_size(
    coins: Path, tiny_sd: Path, tmp_path: Path
) -> None:
    target = tmp_path / "map.tif"
    done = run_here("color", coins, "-o", target, "--diameter", 45, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    liked = load_model("mini", device="cpu").config.object_diameter
    assert Coloring.load(target).resolution == round(384 * liked / 45)
    both = run_here("color", coins, "--diameter", 45, "--resolution", 96)
    assert both.returncode != 0
    assert "either" in both.stderr
    unknown = run_here("color", coins, "--model", tiny_sd, "--diameter", 45)
    assert unknown.returncode != 0
    assert "give the resolution itself" in unknown.stderr


def test_proposals_have_the_size_that_was_told(coins: Path, tmp_path: Path) -> None:
    # Coins are 40 to 55 pixels wide: there is none of 12, which means 24 at most.
    sizes = {}
    for diameter in (45, 12):
        target = tmp_path / f"{diameter}.tif"
        command = ("segment", coins, "--all", "--diameter", diameter, "-o", target)
        done = run_here(*command, "--device", "cpu")
        assert done.returncode == 0, done.stderr
        sizes[diameter] = np.bincount(tifffile.imread(target).ravel())[1:]
    assert len(sizes[45]) > 20 and sizes[45].min() > np.pi / 4 * 15**2
    assert not np.any(sizes[12] > np.pi / 4 * 25**2)


def test_segment_all_selects_as_python_does(coins: Path, tmp_path: Path) -> None:
    labels, coloring = tmp_path / "l.tif", tmp_path / "map.tif"
    settings = ProposalSettings(min_score=0.5, sizes=(30, 60))
    for probe in ((), ("--probe", "similarity")):
        done = run(
            "segment", coins, "--all", "--min-certainty", "0.5", "--size", "30,60",
            *probe, "-o", labels, "--coloring", coloring, "--overwrite",
            "--device", "cpu",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found = Coloring.load(coloring)
        candidates = found.candidates()
        if not probe:
            candidates = load_probe("mini").refine(found, candidates)
        wanted = paint(candidates, select(candidates, settings))
        np.testing.assert_array_equal(tifffile.imread(labels), wanted)
        assert 10 < wanted.max() < len(select(candidates))


def test_segment_writes_the_mask_of_the_clicks(
    coins: Path, tiny_offsets: Path, tmp_path: Path
) -> None:
    labels, coloring = tmp_path / "l.png", tmp_path / "map.tif"
    done = run(
        "segment", coins, "--point", "48,40", "--point", "60,45", "--not", "200,300",
        "-o", labels, "--coloring", coloring,
        "--model", tiny_offsets, "--resolution", 96, "--device", "cpu",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = Coloring.load(coloring)
    answer = answerer(found, probe=chosen_probe(found))
    wanted = answer([(48, 40), (60, 45), (200, 300)], [1, 1, -1])
    np.testing.assert_array_equal(iio.imread(labels) == 1, wanted)
    assert wanted[48, 40]
    assert not wanted[200, 300]


def test_segment_each_point_an_object(
    coins: Path, tiny_sd: Path, tmp_path: Path
) -> None:
    labels = tmp_path / "l.tif"
    done = run_here(
        "segment", coins, "--each", "--point", "48,40", "--point", "250,350",
        "-o", labels, "--tolerance", 0,
        "--model", tiny_sd, "--resolution", 96, "--device", "cpu",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    image = tifffile.imread(labels)
    assert (image[48, 40], image[250, 350]) == (1, 2)
    assert "object 1" in done.stdout
    assert "object 2" in done.stdout


def test_a_stack_needs_a_plane(tiny_sd: Path, tmp_path: Path) -> None:
    stack = tmp_path / "stack.tif"
    planes = np.stack([data.coins()[:96, :96]] * 3)
    tifffile.imwrite(stack, planes, photometric="minisblack")
    options = ("--model", tiny_sd, "--resolution", 64, "--device", "cpu")
    refused = run_here("color", stack, *options)
    assert refused.returncode == 1
    assert "3 along Z" in refused.stderr
    assert "--plane 0" in refused.stderr
    done = run_here("color", stack, "--plane", 2, *options)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "stack-coloring.tif").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["segment", "COINS"], 2, "--point R,C"),
        (["segment", "COINS", "--point", "12"], 2, "ROW,COLUMN"),
        (["segment", "COINS", "--point", "nan,1"], 2, "ROW,COLUMN"),
        (["color", "COINS", "--contrast", "5"], 2, "LOW,HIGH"),
        (["color", "COINS", "--contrast", "99,1"], 2, "percentiles"),
        (["segment", "COINS", "--point", "1,1", "--all"], 2, "either"),
        (["segment", "COINS", "--not", "1,1", "--all"], 2, "--not"),
        (["segment", "COINS", "--all", "--rule", "paper"], 2, "no use of --rule"),
        (["segment", "COINS", "--all", "--tolerance", "9"], 2, "no use of --tolerance"),
        (["segment", "COINS", "--all", "--map-alone"], 2, "no use of --map-alone"),
        ([*PAPER, "--map-alone"], 2, "no use of --map-alone"),
        (["segment", "COINS", "--all", "--everywhere"], 2, "no use of --everywhere"),
        (["segment", "COINS", "--all", "--each"], 2, "no use of --each"),
        (["segment", "COINS", "--all", "--size", "9"], 2, "SMALLEST,LARGEST"),
        (["segment", "COINS", "--all", "--size", "9,3"], 2, "no larger than"),
        ([*POINT, "--size", "3,9"], 2, "--point makes no use of --size"),
        ([*POINT, "--min-certainty", "0.5"], 2, "no use of --min-certainty"),
        ([*PAPER, "--not", "9,9"], 2, "--rule paper makes no use of --not"),
        ([*PAPER, "--tolerance", "9"], 2, "no use of --tolerance"),
        ([*PAPER, "--everywhere"], 2, "no use of --everywhere"),
        (["evaluate", "--compare", "COINS", "COINS", "--html", "p.html"], 2, "no page"),
        (["segment", "COINS", "--point", "1,9999"], 1, "outside the picture"),
        (["color", "COINS", "--model", "nope"], 1, "no model 'nope'"),
        (["color", "COINS", "--model", "TINY", "--device", "abacus"], 1, "'abacus'"),
        (["color", "COINS", "-o", "map.jpg"], 1, "must end in .tif or .png"),
        (["color", "nowhere.png"], 2, "does not exist"),
    ],
)
def test_mistakes_are_told_as_a_sentence(
    coins: Path, tiny_sd: Path, arguments: list[str], status: int, words: str
) -> None:
    files = {"COINS": coins, "TINY": tiny_sd}
    refused = run_here(*[files.get(word, word) for word in arguments])
    assert refused.returncode == status
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


def test_damaged_weights_are_told(coins: Path, tiny_sd: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny_sd, broken)
    weights = next((broken / "unet").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:1000])
    refused = run_here("color", coins, "--model", broken)
    assert refused.returncode == 1
    assert str(weights) in refused.stderr
    assert "Traceback" not in refused.stderr


def test_offline_and_not_here_is_told(coins: Path, tmp_path: Path) -> None:
    refused = run_here(
        "color", coins, "--model", "reachomk/gen2seg-sd", "--accept-licence",
        NAPARI_GEN2SEG_HOME=str(tmp_path), HF_HUB_OFFLINE="1",
    )  # fmt: skip
    assert refused.returncode == 1
    assert "offline" in refused.stderr.lower()
    assert "'mini'" in refused.stderr
    assert "Traceback" not in refused.stderr
