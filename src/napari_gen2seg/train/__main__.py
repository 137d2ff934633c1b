"""``python -m napari_gen2seg.train STAGE --config configs/mini.toml --run RUN``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.train.engine.stop_signal import asked_to_stop
from napari_gen2seg.train.mini.config import STAGES, read_config


def main(arguments: list[str] | None = None) -> int:
    """Train one stage of an embedded model, or export what was trained."""
    parser = argparse.ArgumentParser(
        prog="python -m napari_gen2seg.train", description=main.__doc__
    )
    parser.add_argument("stage", choices=("map", "export-map", *STAGES, "export"))
    parser.add_argument("--config", required=True, help="TOML file of the run")
    parser.add_argument("--run", type=Path, required=True, help="run folder")
    parser.add_argument("--out", type=Path, help="model folder to export to")
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
        "--minutes", type=float, default=0.0, help="of map: stop after so many"
    )
    parser.add_argument(
        "--finish",
        action="store_true",
        help="of map: lower the rate to nothing and write the weights to ship",
    )
    chosen = parser.parse_args(arguments)
    try:
        if chosen.stage == "map":
            return _map(chosen)
        if chosen.stage == "export-map":
            from napari_gen2seg.train.mini.config import read_settings
            from napari_gen2seg.train.mini.map_stage import MapConfig, export_map

            settings = read_settings(MapConfig, chosen.config, chosen.set)
            export_map(settings, chosen.run, chosen.out or chosen.run / "model")
            return 0
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


def _map(chosen: argparse.Namespace) -> int:
    import torch

    from napari_gen2seg.train.mini.config import read_settings
    from napari_gen2seg.train.mini.map_stage import MapConfig, train_map

    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    config = read_settings(MapConfig, chosen.config, chosen.set)
    for event in train_map(
        config,
        chosen.run,
        asked_to_stop(),
        finish=chosen.finish,
        minutes=chosen.minutes,
    ):
        sys.stdout.write(
            f"map {event['step']} loss {event['loss']:.4f} "
            f"object {event['object']:.3f} offset {event['offset']:.4f} "
            f"rate {event['rate']:.2e} {event['seconds']:.0f} s\n"
        )
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
