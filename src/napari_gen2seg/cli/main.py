"""The group of commands: found by name, loaded on demand, errors as sentences."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

import napari_gen2seg
from napari_gen2seg.cli.say import say, silence
from napari_gen2seg.errors import Cancelled, Gen2SegError

#: Command -> module of this package; the module's function has the same name.
COMMANDS = (
    "demo",
    "color",
    "segment",
    "batch",
    "finetune",
    "evaluate",
    "project",
    "models",
    "doctor",
)

#: Exit status of a command that was stopped by Ctrl+C, as shells have it.
STOPPED = 130


class Commands(click.Group):
    """Commands in the order a newcomer meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the commands' names."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"napari_gen2seg.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what goes wrong is told as a sentence, not a traceback."""
        try:
            return super().invoke(ctx)
        except Cancelled as error:
            say(str(error), err=True)
            ctx.exit(STOPPED)
        except KeyboardInterrupt:
            say("Stopped.", err=True)
            ctx.exit(STOPPED)
        except Gen2SegError as error:
            say(f"Error: {error}", err=True)
            ctx.exit(1)
        except OSError as error:
            say(f"Error: {error}. Nothing more was done.", err=True)
            ctx.exit(1)

    def main(self, *args: Any, **options: Any) -> Any:
        """Do what click does; a stdout that takes nothing is told as a sentence."""
        try:
            return super().main(*args, **options)
        except OSError as error:
            silence()
            say(f"Error: nothing could be printed ({error.strerror}).", err=True)
            raise SystemExit(1) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(napari_gen2seg.__version__, prog_name="napari-gen2seg")
def main() -> None:
    """Click an object, keep its mask: instance segmentation by instance coloring."""
