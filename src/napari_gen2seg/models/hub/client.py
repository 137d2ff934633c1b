"""Ask the Hugging Face hub about a model; every failure in our own words."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from napari_gen2seg.errors import (
    DownloadError,
    LicenceError,
    ModelNotFoundError,
    OfflineError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIMEOUT = 20.0
_YES = {"1", "on", "yes", "true"}


@dataclass(frozen=True)
class Listing:
    """A hub model at one commit.

    Parameters
    ----------
    commit
        40 hexadecimal digits.
    names
        Its files.
    licence
        As its page states it; "" where it states none.
    """

    commit: str
    names: tuple[str, ...]
    licence: str


@dataclass(frozen=True)
class RemoteFile:
    """Where one file is, and how to know that it came over whole.

    Parameters
    ----------
    name
        Path inside the model.
    url
        Where its bytes are; may be valid for an hour only.
    size
        In bytes.
    etag
        Changes when the content does; the SHA-256 for large files.
    headers
        To send along, such as the person's token.
    """

    name: str
    url: str
    size: int
    etag: str
    headers: dict[str, str]


def is_offline() -> bool:
    """Tell whether offline mode forbids asking the hub."""
    from huggingface_hub import constants

    asked = os.environ.get("HF_HUB_OFFLINE", "").lower() in _YES
    return asked or bool(constants.HF_HUB_OFFLINE)


def endpoint() -> str:
    """Return the hub's address, ``HF_ENDPOINT`` respected."""
    from huggingface_hub import constants

    return os.environ.get("HF_ENDPOINT", constants.ENDPOINT).rstrip("/")


def list_repo(repo: str, revision: str | None) -> Listing:
    """Ask what a model's files are and which commit a revision stands for.

    Raises
    ------
    ModelNotFoundError, LicenceError, DownloadError, OfflineError
        See `translate_hub_errors`.
    """
    from huggingface_hub import HfApi

    with translate_hub_errors(repo, revision):
        api = HfApi(endpoint=endpoint())
        info = api.model_info(repo, revision=revision, timeout=_TIMEOUT)
    card: Any = getattr(info, "card_data", None)
    licence = (card.get("license_name") or card.get("license")) if card else ""
    names = tuple(sorted(s.rfilename for s in info.siblings or ()))
    return Listing(str(info.sha), names, str(licence or ""))


def locate(repo: str, name: str, commit: str) -> RemoteFile:
    """Ask where a file's bytes are, how many, and its fingerprint.

    Raises
    ------
    ModelNotFoundError, LicenceError, DownloadError, OfflineError
        See `translate_hub_errors`.
    """
    from huggingface_hub import get_hf_file_metadata, get_token, hf_hub_url

    base = endpoint()
    url = hf_hub_url(repo, name, revision=commit, endpoint=base)
    with translate_hub_errors(repo, commit):
        found = get_hf_file_metadata(url, token=get_token(), timeout=_TIMEOUT)
    if found.size is None or not found.etag:
        raise DownloadError(
            f"The hub does not tell the size of {repo}/{name}, so that it could not be "
            "checked. Try again later, or download the model by hand and give its "
            "folder."
        )
    headers = {}
    token = get_token()
    # The token is for the hub itself, never for the storage it points to.
    if token and urlsplit(found.location).netloc == urlsplit(base).netloc:
        headers["Authorization"] = f"Bearer {token}"
    return RemoteFile(name, found.location, found.size, found.etag, headers)


@contextmanager
def translate_hub_errors(repo: str, revision: str | None) -> Iterator[None]:
    """Turn what the hub's client raises into this package's errors.

    Raises
    ------
    LicenceError
        If the model is gated and this person has no access.
    ModelNotFoundError
        If the hub knows no such model or revision.
    OfflineError
        If the hub cannot be reached, or offline mode forbids it.
    DownloadError
        For any other answer of the hub.
    """
    from huggingface_hub import errors

    if is_offline():
        raise OfflineError(_offline_text(repo))
    try:
        yield
    except errors.GatedRepoError as error:
        raise LicenceError(
            f"The hub gives {repo!r} only to people who agreed to its terms. Agree at "
            f"{endpoint()}/{repo}, log in with 'hf auth login', and try again."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ModelNotFoundError(
            f"The hub's model {repo!r} has no revision {revision!r}. Leave the "
            "revision out, or give a branch, tag or commit of its page."
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise ModelNotFoundError(
            f"The hub has no model {repo!r}, or it is private. Check the spelling "
            "('owner/name'); for a private one, log in with 'hf auth login'."
        ) from error
    except errors.OfflineModeIsEnabled as error:
        raise OfflineError(_offline_text(repo)) from error
    except (errors.HfHubHTTPError, errors.EntryNotFoundError) as error:
        raise DownloadError(
            f"The hub answered with an error about {repo!r}: {error}. Try again later."
        ) from error
    except Exception as error:
        if not is_network(error):
            raise
        raise OfflineError(
            f"The hub at {endpoint()} cannot be reached ({type(error).__name__}), and "
            f"{repo!r} is not on this computer. Check the connection and try again, "
            "use 'mini', which needs no download, or give the folder of a copy."
        ) from error


def _offline_text(repo: str) -> str:
    return (
        f"The model {repo!r} is not on this computer and offline mode is on "
        "(HF_HUB_OFFLINE). Unset that variable and connect once, use 'mini', which "
        "needs no download, or give the folder of a copy."
    )


def is_network(error: Exception) -> bool:
    """Tell network failures, whichever HTTP library the client uses."""
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    modules = {kind.__module__.split(".")[0] for kind in type(error).__mro__}
    return bool(modules & {"httpx", "httpx2", "httpcore", "requests", "urllib3"})
