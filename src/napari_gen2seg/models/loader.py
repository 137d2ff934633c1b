"""Load a model: find it, fetch it if need be, fit it into memory, check it."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_gen2seg.common.arguments import checked_arguments
from napari_gen2seg.common.progress import Cancel, Progress, check_cancel, report
from napari_gen2seg.errors import (
    Gen2SegError,
    MemoryShortError,
    SettingsError,
    WeightsError,
)
from napari_gen2seg.models.registry import find, model_folder

if TYPE_CHECKING:
    from pathlib import Path

    from napari_gen2seg.models.base_colorer import BaseColorer
    from napari_gen2seg.models.colorer import Colorer
    from napari_gen2seg.models.model_folder import ModelFolder
    from napari_gen2seg.models.runtime.device import DeviceChoice
    from napari_gen2seg.models.spec import ModelSpec

_log = logging.getLogger(__name__)

#: Below this many weight values half-size numbers are not worth their error.
SMALL_MODEL = 100_000_000


@checked_arguments()
def load_model(
    id_or_path: str | Path = "mini",
    device: str = "auto",
    dtype: str = "auto",
    revision: str | None = None,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    accept_licence: bool = False,
    compiled: bool = False,
) -> Colorer:
    """Load a model.

    Parameters
    ----------
    id_or_path
        ``"mini"``, an id of `list_models`, a folder, or ``owner/name`` of the
        Hugging Face hub.
    device
        ``"auto"``, ``"cuda"``, ``"cuda:N"``, ``"mps"`` or ``"cpu"``.
    dtype
        ``"auto"``, ``"float32"``, ``"bfloat16"`` or ``"float16"``.
    revision
        Branch, tag or commit of a hub model; its main branch when None. The commit
        really used is in ``.spec.revision``.
    progress
        Called with a fraction (or None) and a sentence.
    cancel
        Asked between stages and during downloads.
    accept_licence
        True accepts the licence of a hub model, once and for all.
    compiled
        True compiles the network at its first use (``torch.compile``): a minute that
        pays for many pictures of one size on a GPU. Where it fails, the model runs as
        it is and ``.notes`` says so.

    Returns
    -------
    Colorer
        ``.device``, ``.dtype`` and ``.reason`` say where it computes and why.

    Raises
    ------
    ModelNotFoundError
        If there is no such model.
    WeightsError, WrongFamilyError
        If its files are missing, damaged, unsafe, or of another kind of model.
    LicenceError
        If a first download needs a licence accepted.
    DownloadError, OfflineError, StorageError
        If it cannot be fetched.
    MemoryShortError
        If it does not fit into memory.
    SettingsError
        If device or dtype cannot be used, or a revision is named of a model that has
        none.
    Cancelled
        If ``cancel`` said so.
    """
    if revision is not None and not isinstance(revision, str):
        raise SettingsError(
            f"The revision is {revision!r}; it must be the name of a branch, a tag or "
            "a commit."
        )
    spec = find(id_or_path)
    if revision is not None and spec.source != "hub":
        raise SettingsError(
            f"A revision, {revision!r}, was named, but the model {spec.id!r} is not of "
            "the hub and has none. Leave it out."
        )
    check_cancel(cancel, "Loading")
    if spec.source == "hub":
        from napari_gen2seg.models.hub.download import fetch

        spec = fetch(
            spec, revision, progress=progress, cancel=cancel, accept=accept_licence
        )
    folder = model_folder(spec)
    spec = replace(
        spec,
        family=folder.config.family,
        default_resolution=folder.config.default_resolution,
        folder=folder,
    )
    report(progress, None, "Loading torch")
    from napari_gen2seg.models.runtime.device import choose

    asked = choose(device, dtype)
    try:
        choice, warning = _fit(asked, folder)
    except (LookupError, TypeError, ValueError) as error:
        if isinstance(error, Gen2SegError):
            raise
        raise WeightsError(
            f"The config files of {folder.path} are damaged ({type(error).__name__}: "
            f"{error}). Download or copy the model again."
        ) from error
    check_cancel(cancel, "Loading")
    report(progress, None, f"Loading {spec.title}. {choice.reason}")
    if warning:
        _log.warning("%s: %s", spec.id, warning)
        choice = choice.but(warning)
    try:
        colorer = _build(spec, folder, choice)
    except (Gen2SegError, ImportError):
        raise
    except Exception as error:  # what a damaged model makes of torch and diffusers
        from napari_gen2seg.models.runtime.placement import is_out_of_memory

        if not is_out_of_memory(error):
            raise WeightsError(
                f"The model in {folder.path} cannot be used: its files do not fit "
                f"together ({type(error).__name__}: {str(error)[:300]}). Download or "
                "copy it again."
            ) from error
        raise MemoryShortError(
            f"The model {spec.id!r} does not fit into the memory of {choice.device!r}. "
            "Close other programs, use another device, or choose a smaller model."
        ) from error
    if compiled:
        colorer.compile()
    report(progress, 1.0, f"{spec.title} is ready. {colorer.reason}")
    return colorer


def warm_up() -> None:
    """Import what loading a model needs, seconds before somebody asks for it."""
    from napari_gen2seg.models.families import stable_diffusion_net

    stable_diffusion_net.import_classes()


def _fit(choice: DeviceChoice, folder: ModelFolder) -> tuple[DeviceChoice, str]:
    """Adapt the choice to the model's size and to the free memory."""
    from napari_gen2seg.models.runtime.memory import fit

    small = folder.parameters < SMALL_MODEL
    if small and choice.dtype != "float32" and not choice.asked_dtype:
        reason = f"{choice.where} float32, exact: this model is small."
        choice = replace(choice, reason=reason, dtype="float32")
    return fit(choice, folder, folder.config.default_resolution)


def _build(spec: ModelSpec, folder: ModelFolder, choice: DeviceChoice) -> BaseColorer:
    """Load the network and give it to its family's colorer."""
    family = folder.family
    net = family.load_net(folder, choice.dtype)
    return family.colorer_class()(net, spec, folder.config, choice)
