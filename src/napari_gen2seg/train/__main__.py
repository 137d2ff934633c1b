"""``python -m napari_gen2seg.train STAGE --config configs/mini.toml --run RUN``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.train.engine.stop_signal import asked_to_stop
from napari_gen2seg.train.mini.config import STAGES, read_config


def main(arguments: list[str] | None = None) -> int:
    """Train one stage of an embedded model, or export what was trained."""
    parser = argparse.ArgumentParser(
        prog="python -m napari_gen2seg.train", description=main.__doc__
    )
    parser.add_argument(
        "stage",
        choices=("map", "export-map", "probe", "export-probe", *STAGES, "export"),
    )
    parser.add_argument("--config", required=True, help="TOML file of the run")
    parser.add_argument("--run", type=Path, required=True, help="run folder")
    parser.add_argument("--out", type=Path, help="folder to export to")
    parser.add_argument(
        "--maps",
        type=Path,
        nargs="+",
        default=[],
        metavar="MODEL",
        help="of probe: the model folders whose maps it learns to read; the first one, "
        "of the family offsets, shows it features",
    )
    parser.add_argument(
        "--mean-with",
        type=Path,
        nargs="+",
        default=[],
        metavar="MODEL",
        help="export the mean of these model folders' weights and the run's",
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE"
    )
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument(
        "--minutes", type=float, default=0.0, help="of map, probe: stop after so many"
    )
    parser.add_argument(
        "--finish",
        action="store_true",
        help="of map, probe: lower the rate to nothing and write the weights to ship",
    )
    chosen = parser.parse_args(arguments)
    try:
        if chosen.stage in ("map", "export-map", "probe", "export-probe"):
            return _open_ended(chosen)
        config = read_config(chosen.config, chosen.set)
        if chosen.stage == "export":
            from napari_gen2seg.train.mini.export import export_run

            out = chosen.out or chosen.run / "model"
            export_run(config, chosen.run, out, mean_with=chosen.mean_with)
            return 0
        import torch

        from napari_gen2seg.train.mini.trainer import train_stage

        if chosen.threads:
            torch.set_num_threads(chosen.threads)
        for event in train_stage(config, chosen.stage, chosen.run, asked_to_stop()):
            parts = " ".join(f"{k} {v:.3f}" for k, v in event.parts.items())
            sys.stdout.write(
                f"{event.stage} {event.step}/{event.steps} loss {event.loss:.4f} "
                f"{parts} rate {event.rate:.2e} {event.seconds:.0f} s\n"
            )
            sys.stdout.flush()
    except Gen2SegError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _open_ended(chosen: argparse.Namespace) -> int:
    """Train map or probe, which have no end of their own, or export them."""
    import torch

    from napari_gen2seg.train.mini.config import read_settings

    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    how = {"finish": chosen.finish, "minutes": chosen.minutes}
    if chosen.stage in ("map", "export-map"):
        from napari_gen2seg.train.mini.map_stage import MapConfig, export_map, train_map

        of_map = read_settings(MapConfig, chosen.config, chosen.set)
        if chosen.stage == "export-map":
            export_map(of_map, chosen.run, chosen.out or chosen.run / "model")
            return 0
        events = train_map(of_map, chosen.run, asked_to_stop(), **how)
    else:
        from napari_gen2seg.train.mini.probe_stage import (
            ProbeConfig,
            export_probe,
            train_probe,
        )

        config = read_settings(ProbeConfig, chosen.config, chosen.set)
        if chosen.stage == "export-probe":
            out = chosen.out or chosen.run / "model"
            export_probe(config, chosen.run, out, chosen.maps)
            return 0
        events = train_probe(config, chosen.run, chosen.maps, asked_to_stop(), **how)
    for event in events:
        _show(chosen.stage, event)
    return 0


def _show(stage: str, event: dict[str, Any]) -> None:
    told = ("step", "rate", "seconds", "finish")
    parts = " ".join(f"{k} {v:.3f}" for k, v in event.items() if k not in told)
    sys.stdout.write(
        f"{stage} {event['step']} {parts} rate {event['rate']:.2e} "
        f"{event['seconds']:.0f} s\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
